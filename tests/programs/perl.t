# Perl: text, processes, signals, sockets.

#== counts words
printf 'the cat the dog\n' | perl -ne '$n{$_}++ for split; END { print "$_ $n{$_}\n" for sort keys %n }'

#== forks, pipes and waits
perl -e '
    pipe(my $r, my $w); my $pid = fork;
    if (!$pid) { close $r; print $w "child\n"; exit 9 }
    close $w; print <$r>; waitpid $pid, 0; print $? >> 8, "\n";
    print `echo from a shell`; print "pid differs\n" if $$ != $pid;
    open my $p, "-|", "seq", "3"; print "got $_" while <$p>;'

#== handles signals and alarms
perl -e '
    $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$;
    $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; eval { select undef, undef, undef, 60 }; print $@;'

#== dies with a message (exit 2)
perl -e 'open my $f, "<", "/nothing" or do { print STDERR "$!\n"; exit 2 }'
