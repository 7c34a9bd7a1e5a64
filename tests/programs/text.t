# grep, sed, awk, diff and find, as a person uses them on text.

#== finds lines by pattern
printf '%s\n' 'one fish' 'two fish' 'red Fish' 'blue' > poem
grep -n fish poem
grep -vci fish poem
grep -E '^(one|red)' poem
grep -r --include=poem -l blue . ; grep -q green poem || echo none

#== edits streams and files in place
seq 5 > n
sed -n '2,4p;$s/$/ last/p' n
sed -i.bak '/3/d; s/\([0-9]\)/<\1>/' n
cat n n.bak

#== computes by column
printf '%s\n' 'a 1' 'b 2' 'a 3' |
    awk '{ sum[$1] += $2 } END { for (k in sum) print k, sum[k] | "sort" }'
awk 'BEGIN { "echo from a pipe" | getline line; print length(line), toupper(line); exit 0 }'

#== shows what differs (exit 1)
seq 10 > old
sed '5d; s/9/nine/' old > new
diff old new
diff -u old new | tail -n +3
cmp old new

#== finds files by name, size, kind and time
mkdir -p t/u
seq 5000 > t/big; : > t/u/empty; ln -s big t/u/sym
find t -type f -size +8k
find t -empty; find t -type l -printf '%p -> %l\n'
touch -d 2001-01-01 t/big; find t -newer t/big -name "e*"
find t -type f -print0 | sort -z | xargs -0 -n1 basename
