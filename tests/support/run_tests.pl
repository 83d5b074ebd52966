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
use constant MOST_LINES => 80;

my $runner  = dirname(abs_path($0)) . '/run_test.sh';
my $jobs    = $ENV{HAK_TEST_JOBS} || 2;
my $no_skip = delete $ENV{HAKMEM_TESTS_NO_SKIP};
my @files   = map { abs_path($_) // die "run_tests: no file $_\n" } @ARGV;
@files or die "run_tests: no test files\n";

# Tests that record share the user's session daemon, so they come last and one by one.
my @serial   = grep { m{/tests/e2e/[^/]*\.t$} } @files;
my @parallel = grep { !m{/tests/e2e/[^/]*\.t$} } @files;

# What the tests say beside their results is kept, and shown for files that fail.
my %said;

# tests/meta/x.t, or tests/unit/y for what was built: no paths of this machine.
sub label {
	my ($file) = @_;
	$file =~ s{^.*?/(?=tests/[^/]+/)}{};
	return $file;
}

sub harness {
	my ($at_once) = @_;
	my $harness = TAP::Harness->new({
		exec      => sub { my (undef, $file) = @_; return [ 'bash', $runner, $file ] },
		jobs      => $at_once,
		timer     => 1,
		failures  => 1,
		merge     => 1,
		verbosity => $ENV{V} ? 1 : 0,
	});
	$harness->callback(
		made_parser => sub {
			my ($parser, $job) = @_;
			my $name = ref $job eq 'ARRAY' ? $job->[1] : $job->description;
			my $keep = sub { push @{ $said{$name} }, $_[0]->as_string };
			$parser->callback($_ => $keep) for qw(comment unknown);
			$parser->callback(test => sub { push @{ $said{$name} }, $_[0]->as_string unless $_[0]->is_ok });
		});
	return $harness;
}

my $total = TAP::Parser::Aggregator->new;
$total->start;
for my $part ([ \@parallel, $jobs ], [ \@serial, 1 ]) {
	my ($tests, $at_once) = @$part;
	harness($at_once)->aggregate_tests($total, map { [ $_, label($_) ] } @$tests) if @$tests;
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
	if ($bad && $said{$name}) {
		my @lines = @{ $said{$name} // [] };
		splice @lines, 0, @lines - MOST_LINES if @lines > MOST_LINES;
		print "\n== $name\n", map { "$_\n" } @lines;
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
