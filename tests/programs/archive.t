# tar, gzip and their kin pack and unpack trees.

#== packs a tree and unpacks the same
mkdir -p tree/sub
seq 3000 > tree/numbers
ln -s ../numbers tree/sub/link
ln tree/numbers tree/sub/hard
chmod 640 tree/numbers
mkfifo tree/pipe
tar -C tree --numeric-owner --sort=name -cf tree.tar .
tar tf tree.tar
mkdir out && tar -C out -xf tree.tar
(cd tree && find . -printf '%P %m %y %s %l\n' | grep -v ' d ' | sort) > a
(cd out && find . -printf '%P %m %y %s %l\n' | grep -v ' d ' | sort) > b
diff a b && echo equal

#== compresses and refuses what is broken (exit 1)
seq 20000 | gzip -9n > n.gz
zcat n.gz | cmp - <(seq 20000) && echo equal
gzip -l n.gz
md5sum < n.gz
printf 'broken' | dd of=n.gz bs=1 seek=1000 conv=notrunc status=none
gzip -t n.gz

#== packs through a pipe
mkdir d && seq 100 > d/f
tar -c --mtime=@0 --owner=0 --group=0 --numeric-owner d | gzip -n | tar -tzv

#== packs with xz, by several threads
cp -r /usr/share/perl5 tree
tar -cf - --sort=name --mtime=@0 --owner=0 --group=0 tree | xz -T2 -2 > tree.tar.xz
xz -t tree.tar.xz && xz --robot -l tree.tar.xz | awk '/^totals/ { print $5 }'
mkdir out && tar -C out -xJf tree.tar.xz && diff -r tree out/tree && echo same

#== keeps holes and odd names
truncate -s 3M sparse && printf x | dd of=sparse bs=1 seek=1M conv=notrunc status=none
name=$(printf 'n%.0s' {1..255}); echo long > "$name"; printf '%s\n' nl > $'a\nb'
tar -cSf odd.tar sparse "$name" $'a\nb'
stat -c %s odd.tar; tar -tf odd.tar
mkdir out && tar -C out -xf odd.tar && cmp sparse out/sparse && ls out | wc -l
[ "$(stat -c %b out/sparse)" -lt 64 ] && echo sparse
