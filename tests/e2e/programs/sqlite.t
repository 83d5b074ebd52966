#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sqlite3: tables, indexes, triggers, window functions, JSON, a transaction that is undone.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need sqlite3

cat >"$tmp/script.sql" <<'SQL'
PRAGMA journal_mode = WAL;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, tags TEXT);
CREATE TABLE log (item INTEGER, note TEXT);
CREATE TRIGGER noted AFTER UPDATE ON item BEGIN INSERT INTO log VALUES (new.id, old.name || '>' || new.name); END;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
INSERT INTO item SELECT i, printf('item-%05d-%s', i * 7919 % 150000, hex(zeroblob(i % 40))), i * 0.25,
	json_object('n', i, 'list', json_array(i % 3, i % 5, i % 7)) FROM n;
CREATE INDEX by_name ON item (name);
CREATE INDEX by_tag ON item (json_extract(tags, '$.list[1]'), price);
UPDATE item SET name = name || '*' WHERE id % 11 = 0;
SELECT count(*), sum(length(name)), round(sum(price), 2) FROM item;
SELECT json_extract(tags, '$.list[1]') AS tag, count(*), group_concat(id % 10, '') FROM item WHERE id < 3000 GROUP BY tag;
SELECT id, sum(price) OVER (ORDER BY name ROWS BETWEEN 50 PRECEDING AND CURRENT ROW) AS s FROM item ORDER BY s DESC, id LIMIT 20;
SELECT a.id, b.id FROM item a JOIN item b ON b.name > a.name AND b.price = a.price + 1 WHERE a.id % 997 = 0 ORDER BY 1, 2 LIMIT 50;
BEGIN; DELETE FROM item WHERE id % 2; SELECT count(*) FROM item; ROLLBACK;
SELECT count(*), max(note) FROM log;
VACUUM;
PRAGMA integrity_check;
.dump log
SQL
same "sqlite3" sqlite3 test.db ".read $tmp/script.sql"
served sqlite3 sqlite3 :memory: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT sum(i) FROM n;'
tap_done
