#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Prints the manual page hakmem(7): the template with @OPTIONS@ made from the table of
# docs/options.md, which is made from lib/option_list.h.
# usage: gen_hakmem_man.pl OPTIONS.md TEMPLATE
use strict;
use warnings;

my ($options, $template) = @ARGV;
open my $table, '<', $options or die "$options: $!\n";
my $list = '';
while (<$table>) {
	my ($name, $initial, $values, $meaning) = /^\| `(HAKMEM_\w+)` \| (.*?) \| (.*?) \| (.*) \|$/ or next;
	s/`([^`]*)`/\\fI$1\\fR/g for $values, $meaning;
	$meaning =~ s/^(.)/\U$1/;
	$list .= ".It Ev $name\n$meaning.\nValues: $values." . (length $initial ? "\nDefault: $initial.\n" : "\n");
}
$list or die "$options: no options\n";
$list =~ s/-/\\-/g;
open my $in, '<', $template or die "$template: $!\n";
while (<$in>) {
	print /^\@OPTIONS\@$/ ? $list : $_;
}
