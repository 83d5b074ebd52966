#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Prints the manual page hakmem-events(7) from docs/events.md: headings, paragraphs, lists,
# and the field tables as tagged lists.
# usage: gen_events_man.pl FILE
use strict;
use warnings;

my $text = do { local (@ARGV, $/) = @ARGV; <> };
$text =~ s/−/-/g;
$text =~ s/×/times/g;

# One paragraph of the page's small Markdown as mdoc text lines.
sub paragraph {
	my ($source) = @_;
	$source =~ s/\n\s*/ /g;
	$source =~ s/\\/\\e/g;
	$source =~ s/`([^`]*)`/\\fI$1\\fR/g;
	$source =~ s/\. (?=[A-Z])/.\n/g;
	$source =~ s/^([.'])/\\&$1/mg;
	$source =~ s/ +$//;
	return "$source\n";
}

print <<'HEAD';
.\" SPDX-License-Identifier: MIT
.\" Made by `make docs` from docs/events.md; edit that.
.Dd November 23, 2026
.Dt HAKMEM-EVENTS 7
.Os
.Sh NAME
.Nm hakmem-events
.Nd the LTTng events of the hakmem allocator
.Sh DESCRIPTION
HEAD

my $is_first = 1;
for my $block (split /\n\n+/, $text) {
	if ($block =~ /^# /) {
		next;
	} elsif ($block =~ /^## (.*)/) {
		print ".Sh \U$1\E\n";
		$is_first = 1;
	} elsif ($block =~ /^### `(\w+)`/) {
		print ".Ss $1\n";
		$is_first = 1;
	} elsif ($block =~ /^\|/) {
		print ".Bl -tag -width Ds -compact\n";
		for my $row (grep { /^\| `/ } split /\n/, $block) {
			my ($field, $type, $meaning) = $row =~ /^\| `(\w+)` \| (.*?) \| (.*) \|$/;
			print ".It Va $field No ( $type )\n", paragraph($meaning);
		}
		print ".El\n";
	} elsif ($block =~ /^- /) {
		print ".Bl -bullet -compact\n";
		print ".It\n", paragraph($_) for $block =~ /^- (.*(?:\n  .*)*)/mg;
		print ".El\n";
	} else {
		next if $block =~ /^The definition is/;
		$block =~ s/\nThe definition is `tracer.*//s;
		print ".Pp\n" unless $is_first;
		print paragraph($block);
		$is_first = 0;
	}
}
print <<'TAIL';
.Sh SEE ALSO
.Xr babeltrace2 1 ,
.Xr hakstat 1 ,
.Xr lttng-enable-event 1 ,
.Xr hakmem 7
TAIL
