-- SPDX-License-Identifier: MIT
create table person(id integer primary key, name text, town text, born int);
create table visit(person int, day int, place text, cost real);
with recursive i(n) as (select 1 union all select n + 1 from i where n < 50000)
insert into person select n, printf('%x', n * 2654435761 % 4294967296), 'town' || (n * 31 % 997), 1930 + n % 80 from i;
with recursive i(n) as (select 1 union all select n + 1 from i where n < 160000)
insert into visit select 1 + n * 48271 % 50000, n % 366, 'place-' || (n * 7 % 4099), (n % 1000) / 8.0 from i;
create index visit_by_person on visit(person, day);
create index person_by_town on person(town, name);
select town, count(*), sum(cost), group_concat(distinct substr(place, 7, 2)) from visit join person on person = id
  group by town order by 3 desc limit 3;
with busy as (select person, count(*) as times, max(cost) as most from visit group by person having times > 3)
select born, count(*), avg(most) from busy join person on id = person group by born order by 2 desc, 1 limit 3;
update person set name = name || '-' || upper(name) || '-' || town where id % 2 = 0;
delete from visit where day % 5 = 0;
select length(group_concat(replace(name, 'a', 'bc'))), count(distinct substr(name, 1, 4)) from person;
select place, count(*) from visit where place like '%77%' group by place order by 2 desc, 1 limit 3;
