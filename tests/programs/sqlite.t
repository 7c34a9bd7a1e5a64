# The sqlite3 shell: transactions, journals, locks between processes.

#== keeps rows in a file
sqlite3 db << 'END'
create table t (id integer primary key, word text, n real);
insert into t (word, n) values ('one', 1.5), ('two', 2.25), ('three', 3);
select word, n * 2 from t order by word;
END
sqlite3 -header -csv db 'select * from t where n > 2'
file_size=$(stat -c %s db); echo $((file_size % 4096))

#== rolls back, and checks itself
sqlite3 db 'create table t (x); begin; insert into t values (1); rollback; select count(*) from t;'
sqlite3 db 'with recursive c(n) as (select 1 union all select n+1 from c where n < 20000)
            insert into t select n from c; select sum(x) from t; pragma integrity_check;'

#== writes from several processes at once
sqlite3 db 'pragma journal_mode=wal; create table t (x);'
for p in 1 2 3 4; do
    for i in 1 2 3 4 5; do echo "insert into t values ($p * 100 + $i);"; done |
        sqlite3 -cmd '.timeout 20000' db &
done
wait
sqlite3 db 'select count(*), sum(x) from t'

#== says so when a statement is wrong (exit 1)
sqlite3 db 'selekt 1'
