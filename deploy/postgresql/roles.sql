-- Roles of the warehouse, made once by an administrator in its database:
--
--     createdb exams
--     psql --dbname exams --file deploy/postgresql/roles.sql
--
-- People and services log in with roles of their own, which are members of one of these:
--
--     CREATE ROLE results_office LOGIN PASSWORD '...' IN ROLE exams_loader;

CREATE ROLE exams_owner NOLOGIN;    -- may alter and remove everything in the schema
CREATE ROLE exams_loader NOLOGIN;   -- builds: makes the tables and fills them
CREATE ROLE exams_analyst NOLOGIN;  -- reads figures and counts; no record, no quarantine

CREATE SCHEMA exams AUTHORIZATION exams_owner;
GRANT USAGE, CREATE ON SCHEMA exams TO exams_loader;
GRANT USAGE ON SCHEMA exams TO exams_analyst;
GRANT exams_loader TO exams_owner;  -- what a loader has made is the owner's, too

-- What the analyst may read of each table is granted by the build that makes it.
