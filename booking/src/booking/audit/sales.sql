SELECT bookings.booking_number,
       bookings.idempotency_key,
       bookings.state,
       bookings.screening_id,
       bookings.seats AS promised,
       coalesce(array_agg(seats_sold.seat) FILTER (WHERE seats_sold.seat IS NOT NULL), '{}') AS seats,
       bookings.amount_won
FROM bookings
LEFT JOIN seats_sold ON seats_sold.booking_id = bookings.id AND seats_sold.screening_id = bookings.screening_id
GROUP BY bookings.id;
