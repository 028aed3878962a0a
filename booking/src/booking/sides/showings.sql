SELECT screenings.id,
       theatres.code AS theatre,
       auditoriums.name AS auditorium,
       films.code AS film,
       screenings.starts_at
FROM unnest(%(theatres)s::text[], %(auditoriums)s::text[], %(films)s::text[], %(starts)s::timestamptz[])
    AS wanted (theatre, auditorium, film, starts_at)
JOIN theatres ON theatres.code = wanted.theatre
JOIN auditoriums ON auditoriums.theatre_id = theatres.id AND auditoriums.name = wanted.auditorium
JOIN films ON films.code = wanted.film
JOIN screenings
    ON screenings.auditorium_id = auditoriums.id
    AND screenings.starts_at = wanted.starts_at
    AND screenings.film_id = films.id;
