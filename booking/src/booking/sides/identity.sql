SELECT concat_ws(' ', pg_postmaster_start_time(), inet_server_port(), current_database()) AS identity, now() AS at;
