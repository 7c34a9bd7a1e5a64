# tags: trap
# The everyday tools of coreutils, on files and in pipes.

#== lists what it made, with modes, sizes and links
umask 022
mkdir -p a/b/c
printf 'twelve bytes' > a/file
ln -s file a/link
ln a/file a/hard
chmod 751 a/b
stat -c '%A %h %F %N' a a/b
stat -c '%A %s %h %F %N' a/file a/link a/hard
ls -1 a

#== copies, moves and removes trees
mkdir -p from/deep/er
seq 1000 > from/deep/numbers
touch -d '2020-02-02 02:02:02 UTC' from/deep/er/old
cp -a from to
mv to/deep to/deeper
rm -r from
find to | sort
stat -c '%Y' to/deeper/er/old
cmp <(seq 1000) to/deeper/numbers && echo equal

#== sorts, cuts, joins and counts
printf '%s\n' pear:3 apple:10 fig:2 apple:1 > list
sort -t: -k1,1 -k2,2n list
cut -d: -f2 list | sort -n | paste -sd+
cut -d: -f1 list | sort | uniq -c
wc list
tac list | nl

#== sums agree with the text that they are of
seq 100000 > numbers
md5sum numbers
sha256sum < numbers
sha512sum numbers | cut -c1-32
cksum numbers
sha256sum numbers > sums && sha256sum -c sums

#== splits a file and puts it together again
seq 20000 > whole
split -b 10000 whole part-
ls part-* | wc -l
cat part-* | cmp - whole && echo equal
head -c 100 whole | tail -c 20 | od -c
truncate -s 1M whole && stat -c %s whole
dd if=whole of=copy bs=4096 count=3 skip=1 status=none && stat -c %s copy

#== fails as it should on what is not there (exit 1)
cat nothing
ls nothing/below
rmdir /proc
mkdir exists exists
test -e nothing

#== writes through tee to files and on
seq 5 | tee one two | tr '1-5' 'a-e'
cat one two | sort -u

#== says who and where it is
id -u
pwd | sed 's,.*/,,' | grep -c .
basename /a/b.c .c
dirname /a/b.c
readlink -f /proc/self/../../bin/./sh | grep -c .
env -i A=1 B='two words' env | sort

#== kills what takes too long (exit 124)
timeout 0.2 sleep 60

#== numbers, dates and formats
date -u -d @1000000000 '+%F %T %j'
printf '%05d|%-6s|%x|%q\n' 42 ab 255 "it's"
numfmt --to=iec 1536 1048576
factor 1234567890
expr 6 \* 7
