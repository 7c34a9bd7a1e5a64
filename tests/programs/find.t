# Large trees, walked and read as a whole.

#== finds everything in /usr
# In the user namespace of an ordinary user's native run other owners have no number.
owner=$([ "$(id -u)" -ne 0 ] || echo '%U %G')
find /usr -xdev -printf "%P %y %m %n $owner %T@ %l\n" | sort | md5sum

#== finds by property
find /usr/bin -type l | wc -l
find /usr/share -name '*.gz' -size +20k | wc -l
find /usr/lib -type d -empty | sort | md5sum
find /usr/bin -perm -4000 | sort

#== changes a tree while it walks it
mkdir -p t/{1..50}/{a,b} && touch t/{1..50}/{a,b}/{x,y,z}
find t -name y -delete; find t -type f | wc -l
find t -depth -name b -exec rm -r {} \; ; find t -type d | wc -l
find t -type f -exec sh -c 'mv "$1" "$1.moved"' _ {} \; ; find t -name '*.moved' | wc -l
