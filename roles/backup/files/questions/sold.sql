-- What was sold as of a moment, per screening: seats, those of them that were sold within the window before it, and those that were given back within
-- it. The same on a database and on its restored copy, also when the copy is newer than the moment. Settings: understudy.moment, understudy.window_seconds.
WITH asked AS (
    SELECT current_setting('understudy.moment')::timestamptz AS moment,
           make_interval(secs => current_setting('understudy.window_seconds')::double precision) AS span
),
known AS (
    SELECT bookings.screening_id,
           cardinality(bookings.seats) AS seats,
           bookings.confirmed_at,
           bookings.cancelled_at IS NULL OR bookings.cancelled_at >= asked.moment AS sold,
           bookings.confirmed_at >= asked.moment - asked.span AS fresh,
           coalesce(bookings.cancelled_at >= asked.moment - asked.span AND bookings.cancelled_at < asked.moment, false) AS returned
    FROM bookings CROSS JOIN asked
    WHERE bookings.confirmed_at < asked.moment
),
counted AS (
    SELECT screening_id,
           coalesce(sum(seats) FILTER (WHERE sold), 0) AS sold,
           coalesce(sum(seats) FILTER (WHERE sold AND fresh), 0) AS fresh,
           coalesce(sum(seats) FILTER (WHERE returned), 0) AS returned
    FROM known
    GROUP BY screening_id
)
SELECT json_build_object(
    'moment', (SELECT moment FROM asked),
    'bookings', (SELECT count(*) FROM known WHERE sold),
    'screenings', (
        SELECT coalesce(json_object_agg(screening_id, json_build_array(sold, fresh, returned)), '{}')
        FROM counted
        WHERE sold > 0 OR returned > 0
    )
);
