-- What a restored database must be able to say for itself: how new it is, no seat twice, every booking with its seats and its payment. At most 20 of each.
-- A payment that is being settled (started, unknown, refunding) is neither paid nor lost, and is counted apart.
WITH confirmed AS (
    SELECT bookings.id,
           bookings.booking_number,
           bookings.screening_id,
           bookings.seats,
           bookings.amount_won,
           payments.state AS payment,
           payments.amount_won AS paid_won
    FROM bookings
    LEFT JOIN payments ON payments.booking_id = bookings.id
    WHERE bookings.state = 'confirmed'
),
twice AS (
    SELECT format('seat %s of screening %s is promised to bookings %s', seat, screening_id, string_agg(booking_number, ', ' ORDER BY booking_number)) AS told
    FROM confirmed CROSS JOIN unnest(seats) AS seat
    GROUP BY screening_id, seat
    HAVING count(*) > 1
),
given AS (
    SELECT booking_id, array_agg(seat ORDER BY seat) AS seats FROM seats_sold GROUP BY booking_id
),
seatless AS (
    SELECT format('booking %s promises %s seats, and the seat table gives it %s', booking_number, cardinality(confirmed.seats),
                  coalesce(cardinality(given.seats), 0)) AS told
    FROM confirmed
    LEFT JOIN given ON given.booking_id = confirmed.id
    WHERE given.seats IS DISTINCT FROM (SELECT array_agg(seat ORDER BY seat) FROM unnest(confirmed.seats) AS seat)
    UNION ALL
    SELECT format('the seat table gives %s seats to booking %s, which is %s', cardinality(given.seats), bookings.booking_number, bookings.state)
    FROM given
    JOIN bookings ON bookings.id = given.booking_id
    WHERE bookings.state <> 'confirmed'
),
unpaid AS (
    SELECT format('booking %s of %s won is confirmed, and its payment is %s of %s won', booking_number, amount_won, coalesce(payment, 'missing'),
                  coalesce(paid_won, 0)) AS told
    FROM confirmed
    WHERE payment IS NULL OR payment IN ('declined', 'refunded') OR paid_won <> amount_won
    UNION ALL
    SELECT format('payment %s of %s won is approved, and its booking %s is %s', payments.merchant_reference, payments.amount_won,
                  bookings.booking_number, bookings.state)
    FROM payments
    JOIN bookings ON bookings.id = payments.booking_id
    WHERE payments.state = 'approved' AND bookings.state <> 'confirmed'
)
SELECT json_build_object(
    'bookings', (SELECT count(*) FROM confirmed),
    'newest_booking', (SELECT max(confirmed_at) FROM bookings WHERE state = 'confirmed'),
    'newest_booking_age_s', (SELECT round(extract(epoch FROM now() - max(confirmed_at)), 1) FROM bookings WHERE state = 'confirmed'),
    'unsettled', (SELECT count(*) FROM payments WHERE state IN ('started', 'unknown', 'refunding')),
    'sold_twice', (SELECT coalesce(json_agg(told), '[]') FROM (SELECT told FROM twice LIMIT 20) AS first),
    'without_seats', (SELECT coalesce(json_agg(told), '[]') FROM (SELECT told FROM seatless LIMIT 20) AS first),
    'without_payment', (SELECT coalesce(json_agg(told), '[]') FROM (SELECT told FROM unpaid LIMIT 20) AS first)
);
