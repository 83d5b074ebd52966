#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Prints docs/formats.md: the template, with what commands print about the saved recordings in tests/data/redis.
# A line "@run FIRST[,LAST] COMMAND" becomes a block with the command, the first and the last so many
# lines of its output and, where lines or their ends are left out, marks that say so. Every format
# that the program lists must be in the template.
# usage: gen_formats.pl HAKSTAT TEMPLATE DATA
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use constant WIDTH => 150;

my ($hakstat, $template, $data) = map { abs_path($_) } @ARGV;
my $folder = tempdir(CLEANUP => 1);
for my $table (qw(fine classic)) {
	system("gzip -dc '$data/redis-$table.summary.gz' >'$folder/$table.summary'") == 0 or die "$table: no summary\n";
}
open my $in, '<', $template or die "$template: $!\n";
my @lines = <$in>;

chdir $folder or die "$folder: $!\n";
delete @ENV{qw(NO_COLOR HAKMEM_BUILD)};
@ENV{qw(PATH LC_ALL TZ COLUMNS)} = (dirname($hakstat) . ":$ENV{PATH}", 'C.UTF-8', 'UTC', 120);

sub shorten {
	my ($line) = @_;
	utf8::decode($line);
	$line = substr($line, 0, WIDTH) . ' ...' if length $line > WIDTH + 4;
	utf8::encode($line);
	return "$line\n";
}

sub run {
	my ($first, $last, $command) = @_;
	my @output = split /\r?\n/, qx($command);
	my $more = @output - $first - $last;
	my @shown = $more > 1 ? (@output[0 .. $first - 1], "... ($more lines more)", @output[@output - $last .. $#output]) : @output;
	@output or die "no output of: $command\n";
	return "```\n\$ $command\n" . join('', map { shorten($_) } @shown) . "```\n";
}

for my $command (qw(report diff)) {
	my ($formats) = qx(hakstat $command --list-options) =~ /^--format (\S+)$/m or die "hakstat $command lists no formats\n";
	for my $format (split /\|/, $formats) {
		grep { /\bhakstat $command .*--format \Q$format\E\b/ } @lines or die "$template: hakstat $command --format $format is not shown\n";
	}
}
for (@lines) {
	if (/^\@run (\d+)(?:,(\d+))? (.*)/) {
		print run($1, $2 // 0, $3);
	} elsif (/^\@file (\S+)/) {
		open my $file, '<', "$data/$1" or die "$data/$1: $!\n";
		print "```\n", <$file>, "```\n";
	} else {
		print;
	}
}
