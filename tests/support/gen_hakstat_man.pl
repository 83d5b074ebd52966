#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Prints the manual page hakstat(1): the template with @SYNOPSIS@ and @COMMANDS@ made from what
# the program says of itself (hakstat --list-commands, hakstat help COMMAND).
# usage: gen_hakstat_man.pl HAKSTAT TEMPLATE
use strict;
use warnings;

my ($hakstat, $template) = @ARGV;

# Text that roff may not take for requests; sentences on lines of their own.
sub text {
	my ($t) = @_;
	$t =~ s/\s+/ /g;
	$t =~ s/\\/\\e/g;
	$t =~ s/([.:]) (?=[A-Z])/$1\n/g;
	$t =~ s/^([.'])/\\&$1/mg;
	$t =~ s/-/\\-/g;
	return $t;
}

# table|json|FILE: words to type and, in capitals, what to put there.
sub argument {
	my ($a) = @_;
	return join "\n.No \\(ba\n", map { /^@?[A-Z]+$/ ? ".Ar $_" : ".Cm $_" } split /\|/, $a;
}

sub read_help {
	my ($command) = @_;
	my ($usage, @lines) = split /\n/, qx('$hakstat' help $command);
	$? == 0 or die "$hakstat help $command failed\n";
	my %help = (operands => $usage =~ /^usage: hakstat \S+(?: \[OPTION\.\.\.\])? ?(.*)/, options => [], paragraphs => [[]]);
	my $in_options;
	for my $line (@lines) {
		$in_options ||= $line eq 'options:';
		if ($in_options) {
			if ($line =~ /^  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?(?:\s{2,}(.*))?$/) {
				push @{ $help{options} }, { short => $1, long => $2, argument => $3, help => $4 // '' };
			} elsif ($line =~ /^\s+(\S.*)/ && @{ $help{options} }) {
				$help{options}[-1]{help} .= " $1";
			}
		} elsif ($line eq '') {
			push @{ $help{paragraphs} }, [];
		} else {
			push @{ $help{paragraphs}[-1] }, $line;
		}
	}
	$help{paragraphs} = [ grep { @$_ } @{ $help{paragraphs} } ];
	return \%help;
}

sub synopsis {
	my ($command, $help) = @_;
	my $out = ".Nm\n.Cm $command\n";
	$out .= ".Op Ar option ...\n" if @{ $help->{options} };
	for my $operand (split ' ', $help->{operands}) {
		my $word = $operand =~ s/[][]|\.\.\.//gr;
		my $more = $operand =~ /\.\.\./ ? ' ...' : '';
		$out .= $operand eq '--' ? ".Fl -\n" : $operand =~ /^\[/ ? ".Op Ar $word$more\n" : ".Ar $word$more\n";
	}
	return $out;
}

sub describe {
	my ($command, $help) = @_;
	my $out = ".It Ic $command\n";
	my $is_first = 1;
	for my $paragraph (@{ $help->{paragraphs} }) {
		# Lines with a gap in them are a small table: kept as they are.
		my $as_is = grep { /\S {2,}\S/ } @$paragraph;
		$out .= ".Pp\n" unless $is_first || $as_is;
		$is_first = 0;
		$out .= $as_is ? join("\n", '.Bd -literal', map({ s/\\/\\e/gr =~ s/-/\\-/gr } @$paragraph), '.Ed') . "\n" : text("@$paragraph") . "\n";
	}
	my @options = grep { $_->{long} ne 'help' } @{ $help->{options} };
	return $out if !@options;
	$out .= ".Bl -tag -width Ds\n";
	for my $o (@options) {
		$out .= '.It Fl ' . ($o->{short} ? "$o->{short} , Fl -$o->{long}" : "-$o->{long}");
		$out .= ' Xo' . "\n" . argument($o->{argument}) . "\n.Xc" if defined $o->{argument};
		$out .= "\n" . text(ucfirst $o->{help} =~ s/^ +//r) . ".\n";
	}
	return "$out.El\n";
}

# Every column once: its key, its header, the tables that have it, what it means.
sub columns {
	my (@order, %seen);
	for (split /\n/, qx('$hakstat' --list-columns)) {
		my ($table, $key, $unit, $header, $help) = split /\t/;
		push @order, $key unless $seen{$key};
		$seen{$key} //= { header => $header =~ s/±/\\(+-/r, help => $help, tables => [] };
		push @{ $seen{$key}{tables} }, $table;
	}
	@order or die "$hakstat --list-columns: no columns\n";
	return join '', map { ".It Cm $_ Pq $seen{$_}{header}\n" . text($seen{$_}{help} =~ s{^([a-z]+)(?=[ ,:;])}{\u$1}r) . ".\nOf: @{ $seen{$_}{tables} }.\n" } @order;
}

my @commands = grep { $_ ne 'help' } split /\n/, qx('$hakstat' --list-commands);
@commands or die "$hakstat --list-commands: no commands\n";
my %help = map { $_ => read_help($_) } @commands;
open my $in, '<', $template or die "$template: $!\n";
while (<$in>) {
	if (/^\@SYNOPSIS\@$/) {
		print synopsis($_, $help{$_}) for @commands;
	} elsif (/^\@COMMANDS\@$/) {
		print describe($_, $help{$_}) for @commands;
	} elsif (/^\@COLUMNS\@$/) {
		print columns();
	} else {
		print;
	}
}
