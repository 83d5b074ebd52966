# SPDX-License-Identifier: MIT
# Hashes of arrays, string building, sort and substitution.
use strict;
use warnings;

my ( %seen, @kept );
for my $i ( 1 .. 250_000 ) {
    my $word = sprintf '%x%s', ( $i * 40503 ) % 65521, 'q' x ( $i % 13 );
    push @{ $seen{ substr $word, 0, 3 } }, $word;
    if ( $i % 50 == 0 ) {
        push @kept, join ' ', reverse @{ $seen{ substr $word, 0, 3 } };
        delete $seen{ substr $word, 0, 3 };
    }
}
my $text = join "\n", sort @kept;
( my $other = $text ) =~ s/([0-9a-f])(q+)/$2<$1>/g;
my %count;
$count{$_}++ for split /[<> \n]+/, $other;
print join( ' ', length $text, length $other, scalar keys %count, scalar keys %seen ), "\n";
