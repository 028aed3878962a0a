SELECT seat_claims.screening_id,
       seat_claims.seat,
       bookings.booking_number,
       seat_claims.hold_id::text AS hold_id,
       nullif(seat_claims.expires_at, 'infinity') AS held_until
FROM unnest(%(screenings)s::bigint[], %(seats)s::text[]) AS wanted (screening_id, seat)
JOIN seat_claims ON seat_claims.screening_id = wanted.screening_id AND seat_claims.seat = wanted.seat
LEFT JOIN bookings ON bookings.id = seat_claims.booking_id;
