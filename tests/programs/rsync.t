# A tree is copied and brought up to date by rsync, between folders.
# tags: slow

#== copies a tree with its links, times and holes
# needs: socket
mkdir -p from/sub && cd from
seq 3000 > numbers; ln numbers sub/hard; ln -s ../numbers sub/soft; chmod 640 numbers
truncate -s 1M hole; touch -d '2001-02-03 04:05:06' sub/old; mkfifo pipe
cd ..
rsync -aHS from/ to
diff -r --no-dereference <(cd from && find . -printf '%P %m %y %s %n %T@ %l\n' | sort) \
    <(cd to && find . -printf '%P %m %y %s %n %T@ %l\n' | sort) && echo same
stat -c %b to/hole
rsync -aHS --itemize-changes from/ to

#== sends what has changed, and deletes what is gone
# needs: socket
cp -r /usr/share/perl5 from && cp -r from to
rm -r from/Debconf; seq 10 > from/new; echo more >> "$(find from -name '*.pm' | sort | head -1)"
rsync -rtc --delete --itemize-changes from/ to | sort | head -20
diff -r from to && echo same
rsync -a --stats from/ to2 | grep -E 'Number of (created )?files'
