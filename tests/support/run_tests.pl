#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Runs test files through TAP::Harness (prove's own library) and ends with the line
# "N passed, N failed" that CI reads. Exit status 1 when anything failed.
#
# usage: run_tests.pl FILE...
# HAK_TEST_JOBS             how many at once (2)
# HAK_TEST_SECONDS          how long one file may take (900)
# HAKMEM_TESTS_NO_SKIP=1    a skipped test counts as failed
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use TAP::Harness;
use TAP::Parser::Aggregator;

my $runner  = dirname(abs_path($0)) . '/run_test.sh';
my $jobs    = $ENV{HAK_TEST_JOBS} || 2;
my $no_skip = delete $ENV{HAKMEM_TESTS_NO_SKIP};
my @files   = map { abs_path($_) // die "run_tests: no file $_\n" } @ARGV;
@files or die "run_tests: no test files\n";

# Tests that record share the user's session daemon, so they come last and one by one.
my @serial   = grep { m{/tests/e2e/[^/]*\.t$} } @files;
my @parallel = grep { !m{/tests/e2e/[^/]*\.t$} } @files;

my $total = TAP::Parser::Aggregator->new;
$total->start;
for my $part ([ \@parallel, $jobs ], [ \@serial, 1 ]) {
	my ($tests, $at_once) = @$part;
	next unless @$tests;
	my $harness = TAP::Harness->new({
		exec      => sub { my (undef, $file) = @_; return [ 'bash', $runner, $file ] },
		jobs      => $at_once,
		timer     => 1,
		failures  => 1,
		comments  => 1,
		merge     => 0,
		verbosity => $ENV{V} ? 1 : 0,
	});
	my $prefix = dirname(dirname(dirname($runner))) . '/';
	$harness->aggregate_tests($total, map { [ $_, (index($_, $prefix) == 0 ? substr($_, length $prefix) : $_) ] } @$tests);
}
$total->stop;

# A file may fail as a whole: a crash, a hang, a broken plan. Then that is one failure more.
my ($passed, $failed, $skipped) = (0, 0, 0);
my @broken;
for my $name ($total->descriptions) {
	my ($parser) = $total->parsers($name);
	my $bad  = () = $parser->failed;
	my $skip = () = $parser->skipped;
	$skip++ if defined $parser->skip_all;
	my $good = (() = $parser->passed) - (() = $parser->skipped);
	if ($no_skip && $skip) {
		$bad += $skip;
		push @broken, "$name: skipped" . (defined $parser->skip_all ? ': ' . $parser->skip_all : '');
		$skip = 0;
	}
	if (!$bad && ($parser->has_problems || $parser->parse_errors)) {
		$bad = 1;
	}
	push @broken, "$name: exit status " . ($parser->exit // '?') . ($parser->wait && $parser->wait & 127 ? ', signal ' . ($parser->wait & 127) : '')
		. join('', map { "; $_" } $parser->parse_errors)
		if $bad && $parser->has_problems;
	$passed  += $good;
	$failed  += $bad;
	$skipped += $skip;
}
print "\n", map({ "$_\n" } @broken) if @broken;
printf "\n%d files in %s\n", scalar($total->descriptions), $total->elapsed_timestr;
print "$passed passed, $failed failed", ($skipped ? ", $skipped skipped" : ''), "\n";
exit($failed ? 1 : 0);
