#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perl: hashes, closures, sorting, regular expressions, forked children, die and eval.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need perl

cat >"$tmp/script.pl" <<'PERL'
use strict; use warnings; use Digest::SHA qw(sha1_hex); use Storable qw(dclone); use List::Util qw(sum0);
$ENV{PERL_HASH_SEED} // die "no seed";
my (%count, @lines, %tree);
my $x = 12345;
sub rnd { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x % $_[0] }
for my $i (1 .. 60_000) {
	my $word = join '', map { chr(97 + rnd(26)) } 1 .. 1 + rnd(12);
	$count{$word}++;
	push @lines, "$word " . 'x' x rnd(300);
	push @{ $tree{ substr $word, 0, 1 }{ length $word } }, { word => $word, at => $i };
}
print scalar(keys %count), ' ', sha1_hex(join ',', map { "$_=$count{$_}" } sort keys %count), "\n";
my $copy = dclone(\%tree);
print sum0(map { scalar @$_ } map { values %$_ } values %$copy), "\n";
undef %tree;
my $text = join "\n", sort { length $a <=> length $b || $a cmp $b } @lines;
(my $changed = $text) =~ s/(\w)(x{3,})/uc($1) . length($2)/ge;
print sha1_hex($changed), ' ', length $changed, "\n";
my $n = () = $text =~ /\b(?=[a-m])\w+?e\w*\b/g;
print "$n\n";
my @pids;
for my $child (1 .. 4) {
	my $pid = fork // die;
	if (!$pid) { my %h = map { $_ => [ (1) x ($_ % 50) ] } 1 .. 5000 * $child; exit(keys(%h) == 5000 * $child ? $child : 99) }
	push @pids, $pid;
}
print join(' ', map { waitpid $_, 0; $? >> 8 } @pids), "\n";
eval { die { code => 42, text => 'y' x 100_000 } };
print $@->{code}, ' ', length $@->{text}, "\n";
warn "a warning\n";
PERL
export PERL_HASH_SEED=0
same "perl" perl "$tmp/script.pl"
served perl perl -e 'my %h = map { $_ => "x" x $_ } 1 .. 500; print scalar keys %h'
tap_done
