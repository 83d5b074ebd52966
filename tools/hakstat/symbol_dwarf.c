/* SPDX-License-Identifier: MIT */
/*
 * Debug information through libdw. libdw's own ways from an address to its scopes need an index
 * that not every compiler writes, and lose scopes that clang describes; so the ranges of units
 * and functions are indexed here, each unit's functions when it is first met.
 */
#include "symbol_dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <libiberty/demangle.h>
#include <stdlib.h>

/* Deeper nests of inlined calls and blocks than this are cut. */
#define MOST_SCOPES 256

/* A stretch of code, as the file counts addresses, and the entry that describes it. */
struct range {
	Dwarf_Addr low;
	Dwarf_Addr high;
	Dwarf_Die die;
};

struct hakstat_dwarf {
	GArray *units; /* of struct range, by `low` */
	Dwarf_Addr bias;
	GHashTable *functions; /* offset of a unit to a GArray of struct range, by `low` */
};

static void array_free(void *data)
{
	g_array_free(data, TRUE);
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
	const struct range *left = a;
	const struct range *right = b;

	return left->low < right->low ? -1 : left->low > right->low;
}

static void add_ranges(GArray *ranges, Dwarf_Die *die)
{
	struct range range = { .die = *die };
	Dwarf_Addr base = 0;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &range.low, &range.high)) > 0) {
		g_array_append_val(ranges, range);
	}
}

static const struct range *find_range(const GArray *ranges, Dwarf_Addr pc)
{
	const struct range *range;
	guint low = 0;
	guint high = ranges->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(ranges, struct range, middle).low <= pc) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == 0) {
		return NULL;
	}
	range = &g_array_index(ranges, struct range, low - 1);
	return pc < range->high ? range : NULL;
}

struct hakstat_dwarf *hakstat_dwarf_new(Dwfl_Module *module)
{
	struct hakstat_dwarf *dwarf = g_new0(struct hakstat_dwarf, 1);
	Dwarf_Die *unit = NULL;

	dwarf->functions = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, array_free);
	dwarf->units = g_array_new(FALSE, FALSE, sizeof(struct range));
	while ((unit = dwfl_module_nextcu(module, unit, &dwarf->bias))) {
		add_ranges(dwarf->units, unit);
	}
	g_array_sort(dwarf->units, compare_ranges);
	return dwarf;
}

void hakstat_dwarf_free(struct hakstat_dwarf *dwarf)
{
	if (!dwarf) {
		return;
	}
	g_hash_table_destroy(dwarf->functions);
	g_array_free(dwarf->units, TRUE);
	g_free(dwarf);
}

/* Functions stand in namespaces and types, some languages nest them in each other. */
static void index_functions(GArray *functions, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;

	if (depth == MOST_SCOPES || dwarf_child(parent, &die) != 0) {
		return;
	}
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			add_ranges(functions, &die);
			index_functions(functions, &die, depth + 1);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_lexical_block:
			index_functions(functions, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

/* The tree is in another file when the compiler split the debug information. */
static Dwarf_Die full_unit(Dwarf_Die unit)
{
	Dwarf_Die split;

	if (dwarf_cu_info(unit.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 && split.addr) {
		return split;
	}
	return unit;
}

static const GArray *functions_of(struct hakstat_dwarf *dwarf, Dwarf_Die *unit)
{
	gint64 key = (gint64)dwarf_dieoffset(unit);
	GArray *functions = g_hash_table_lookup(dwarf->functions, &key);

	if (!functions) {
		Dwarf_Die full = full_unit(*unit);

		functions = g_array_new(FALSE, FALSE, sizeof(struct range));
		index_functions(functions, &full, 0);
		g_array_sort(functions, compare_ranges);
		g_hash_table_insert(dwarf->functions, g_memdup2(&key, sizeof(key)), functions);
	}
	return functions;
}

char *hakstat_dwarf_demangle(const char *name)
{
	char *plain = name ? cplus_demangle(name, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI) : NULL;
	char *copy = g_strdup(plain ? plain : name);

	free(plain);
	return copy;
}

static const char *text_of(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute memory;

	return dwarf_formstring(dwarf_attr_integrate(die, attribute, &memory));
}

/* Where a function was declared, not where its code stands. */
static Dwarf_Die declaration_of(Dwarf_Die die)
{
	static const unsigned links[] = { DW_AT_abstract_origin, DW_AT_specification };
	Dwarf_Attribute memory;
	Dwarf_Die next;

	for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
		if (dwarf_formref_die(dwarf_attr(&die, links[i], &memory), &next)) {
			die = next;
		}
	}
	return die;
}

static bool is_named_scope(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_union_type;
}

/* Whether functions stand in name spaces and types. To find out which takes a walk through the unit. */
static bool has_scopes(Dwarf_Die *die)
{
	Dwarf_Die unit;

	switch (dwarf_srclang(dwarf_diecu(die, &unit, NULL, NULL))) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_Rust:
	case DW_LANG_D:
		return true;
	default:
		return false;
	}
}

/*
 * The compiler gives no linker's name to a function that is inlined wherever it is used. Its plain name
 * would be that of many others, so those of its types and name spaces go in front.
 */
static char *qualified(Dwarf_Die *die, const char *name)
{
	Dwarf_Die declaration = declaration_of(*die), *scopes = NULL;
	int count = dwarf_getscopes_die(&declaration, &scopes);
	GString *text = g_string_new(name);

	for (int i = 1; i < count; i++) {
		const char *scope = is_named_scope(&scopes[i]) ? dwarf_diename(&scopes[i]) : NULL;
		if (scope) {
			g_string_prepend(text, "::");
			g_string_prepend(text, scope);
		}
	}
	free(scopes);
	return g_string_free(text, FALSE);
}

/*
 * The linker's name says most (template arguments, name spaces). Some functions only have it
 * in the symbol table; there a C function may have a compiler's suffix, so it comes last.
 */
static char *name_of(Dwarf_Die *die, const char *symbol)
{
	const char *name = text_of(die, DW_AT_linkage_name);

	if (!name) {
		name = text_of(die, DW_AT_MIPS_linkage_name);
	}
	if (!name && symbol && symbol[0] == '_' && (symbol[1] == 'Z' || symbol[1] == 'R')) {
		name = symbol;
	}
	if (!name) {
		name = text_of(die, DW_AT_name);
		if (name && has_scopes(die)) {
			return qualified(die, name);
		}
	}
	return hakstat_dwarf_demangle(name ? name : symbol);
}

static char *absolute_path(Dwarf_Die *unit, const char *file)
{
	Dwarf_Attribute memory;
	const char *folder;

	if (!file || file[0] == '/') {
		return g_strdup(file);
	}
	folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &memory));
	return folder ? g_build_filename(folder, file, NULL) : g_strdup(file);
}

static void set_line(struct hakstat_frame *frame, Dwarf_Die *unit, Dwarf_Addr pc)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
	int number = 0;

	if (line && dwarf_lineno(line, &number) == 0 && number > 0) {
		frame->line = (unsigned)number;
		frame->file = absolute_path(unit, dwarf_linesrc(line, NULL, NULL));
	}
}

static bool number_of(Dwarf_Die *die, unsigned attribute, Dwarf_Word *number)
{
	Dwarf_Attribute memory;

	return dwarf_formudata(dwarf_attr(die, attribute, &memory), number) == 0;
}

/* Where the inlined function `die` was called is where the function around it stood. */
static void set_call(struct hakstat_frame *frame, Dwarf_Die *unit, Dwarf_Die *die)
{
	Dwarf_Files *files;
	Dwarf_Word number;
	size_t count;

	if (number_of(die, DW_AT_call_line, &number)) {
		frame->line = (unsigned)number;
	}
	if (number_of(die, DW_AT_call_file, &number) && dwarf_getsrcfiles(unit, &files, &count) == 0) {
		frame->file = absolute_path(unit, dwarf_filesrc(files, number, NULL, NULL));
	}
}

static bool find_child_with(Dwarf_Die *parent, Dwarf_Addr pc, Dwarf_Die *child)
{
	if (dwarf_child(parent, child) != 0) {
		return false;
	}
	do {
		int tag = dwarf_tag(child);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
		    dwarf_haspc(child, pc) > 0) {
			return true;
		}
	} while (dwarf_siblingof(child, child) == 0);
	return false;
}

/* The function and what was inlined into it around `pc`, outermost first. */
static unsigned find_scopes(Dwarf_Die function, Dwarf_Addr pc, Dwarf_Die *scopes)
{
	Dwarf_Die scope = function;
	unsigned count = 0;

	scopes[count++] = function;
	for (unsigned depth = 0; depth < MOST_SCOPES; depth++) {
		Dwarf_Die child;

		if (!find_child_with(&scope, pc, &child)) {
			break;
		}
		scope = child;
		if (dwarf_tag(&scope) == DW_TAG_inlined_subroutine && count < MOST_SCOPES) {
			scopes[count++] = scope;
		}
	}
	return count;
}

static struct hakstat_frame *append(GPtrArray *frames)
{
	struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);

	g_ptr_array_add(frames, frame);
	return frame;
}

bool hakstat_dwarf_add_frames(struct hakstat_dwarf *dwarf, uint64_t addr, const char *symbol,
			      GPtrArray *frames)
{
	Dwarf_Addr pc = addr - dwarf->bias;
	const struct range *unit = find_range(dwarf->units, pc);
	Dwarf_Die scopes[MOST_SCOPES];
	struct hakstat_frame *frame;
	const struct range *function;
	Dwarf_Die unit_die;
	unsigned count;

	if (!unit) {
		return false;
	}
	unit_die = unit->die;
	frame = append(frames);
	set_line(frame, &unit_die, pc);
	function = find_range(functions_of(dwarf, &unit_die), pc);
	if (!function) {
		frame->function = hakstat_dwarf_demangle(symbol);
		return true;
	}
	count = find_scopes(function->die, pc, scopes);
	for (unsigned i = count - 1; i > 0; i--) {
		frame->function = name_of(&scopes[i], NULL);
		frame->inlined = true;
		frame = append(frames);
		set_call(frame, &unit_die, &scopes[i]);
	}
	frame->function = name_of(&scopes[0], symbol);
	return true;
}
