/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files, for compilers without libFuzzer: gcc replays the corpus with it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 20 };

static int run_file(const char *path)
{
	static uint8_t data[LARGEST];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size_t size = fread(data, 1, sizeof data, file);
	int failed = ferror(file);
	fclose(file);
	if (!failed) {
		LLVMFuzzerTestOneInput(data, size);
	}
	return failed;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;
	for (int i = 1; i < argc; i++) {
		failed |= run_file(argv[i]);
	}
	printf("%d inputs\n", argc - 1);
	return failed;
}
