# PostgreSQL: a server of many processes on System V shared memory, with clients over AF_UNIX.

place=$(mktemp -d /tmp/pg.XXXXXX)
as_other=()
if [ "$(id -u)" -eq 0 ]; then
    chown 65534:65534 "$place"
    as_other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
trap 'rm -rf "$place"' EXIT
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/postgres | tail -1)")

# Runs a command of PostgreSQL as an ordinary user, which the server insists on.
pg() {
    "${as_other[@]}" env -i PATH="$bin:/usr/bin:/bin" LC_ALL=C \
        PGHOST="$place" PGUSER=me PGDATABASE=postgres HOME="$place" TZ=UTC "$@"
}
cd "$place"
pg initdb -D data -A trust -U me --no-sync >init.log 2>&1 || cat init.log

#== answers several clients at a time, and recovers when it is killed
pg pg_ctl -D data -w -l log -o "-c listen_addresses='' -k $place" start | tail -1 || cat log
pg psql -qc 'create table t (a int primary key, b text)'
pg psql -qc "insert into t select i, md5(i::text) from generate_series(1, 2000) i"
for n in 1 2 3 4; do
    pg psql -qtAc "begin; update t set b = upper(b) where a % 4 = $n - 1; commit" &
done
wait
pg psql -tA -c "select count(*), sum(a), count(*) filter (where b = upper(b)) from t" \
    -c "select b from t where a = 42"
pg psql -c 'insert into t values (1, null)'
pg pgbench -i -q 2>/dev/null | tail -1
pg pgbench -c 4 -t 25 2>/dev/null | grep processed
pg psql -tAc 'select count(*) from pgbench_history'
ipcs -m | grep -c '^0x'
pg pg_ctl -D data -w -m fast stop | tail -1
ipcs -m | grep -c '^0x'

# It recovers what was committed before it was killed.
pg pg_ctl -D data -w -l log -o "-c listen_addresses='' -k $place" start | tail -1 || cat log
pg psql -qc 'create table kept as select 7 as n'
kill -KILL "$(head -1 data/postmaster.pid)"
while pg psql -qtAc 'select 1' >/dev/null 2>&1; do :; done
until pg pg_ctl -D data -w -l log -o "-c listen_addresses='' -k $place" start >/dev/null 2>&1; do :; done
pg psql -tAc 'select n from kept'
pg pg_ctl -D data -w -m fast stop | tail -1
