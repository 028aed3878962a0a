SELECT bookings.booking_number,
       bookings.idempotency_key,
       bookings.request_digest,
       bookings.hold_id::text AS hold_id,
       theatres.code AS theatre,
       auditoriums.name AS auditorium,
       films.code AS film,
       screenings.starts_at,
       bookings.seats,
       bookings.amount_won,
       bookings.customer_name,
       bookings.contact,
       bookings.state,
       bookings.created_at,
       bookings.confirmed_at,
       bookings.cancelled_at,
       payments.state AS payment_state,
       payments.gateway_payment_id
FROM bookings
JOIN payments ON payments.booking_id = bookings.id
JOIN screenings ON screenings.id = bookings.screening_id
JOIN films ON films.id = screenings.film_id
JOIN auditoriums ON auditoriums.id = screenings.auditorium_id
JOIN theatres ON theatres.id = auditoriums.theatre_id
WHERE bookings.idempotency_key = ANY(%(keys)s);
