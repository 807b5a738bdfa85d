"""How the grants of the patients in question stand for a request: what each node asks of it, in SQL.

http://hl7.org/fhir/R4/consent.html

The reader of this part of a statement provides two relations beside it:

- `asked`, the patients in question and 0 for the policies: `patient_key bigint`;
- `facets`, one row about the request: `actors bigint[]`, the keys that the caller expands to; `client
  bigint`, the application or NULL; `unresolved boolean`, a break in the caller's chain; `purpose integer`
  and `action integer`, bits of `consent.compile`; `at timestamptz`.

and gets a row per grant that blocks, or that is for one of these actors: `patient_key`, `consent_key`,
`ordinal`, `consent_ref`, `effect`, `shape_key`, and the masks `t_bits` and `f_bits` of
`consent.grants.StandingGrant`, as numbers of any length: no bigint has a bit for each provision. A grant without
nodes has neither bit, so that it blocks rather than vanishes.
Purpose BTG counts for the patient of the opening alone: a request with it asks for no other.
"""

from typing import Final

GRANTS: Final = """
SELECT g.patient_key, g.consent_key, g.ordinal, g.consent_ref, g.effect, g.shape_key,
    coalesce(trunc(sum(CASE WHEN named AND timely THEN 2::numeric ^ n.node ELSE 0 END)), 0) AS t_bits,
    coalesce(trunc(sum(CASE WHEN unnamed OR NOT timely THEN 2::numeric ^ n.node ELSE 0 END)), 0) AS f_bits
FROM (
    SELECT a.patient_key, a.consent_key, a.ordinal FROM consent_actor AS a, facets
    WHERE a.patient_key IN (SELECT patient_key FROM asked) AND a.actor_key = ANY (facets.actors)
    UNION
    SELECT b.patient_key, b.consent_key, b.ordinal FROM consent_grant AS b
    WHERE b.patient_key IN (SELECT patient_key FROM asked) AND b.effect <> 1
) AS bearing
JOIN consent_grant AS g USING (patient_key, consent_key, ordinal)
LEFT JOIN consent_node AS n USING (patient_key, consent_key, ordinal)
CROSS JOIN facets AS q
CROSS JOIN LATERAL (
    SELECT n.actors IS NULL OR n.actors && q.actors
        OR (NOT n.granting AND q.client IS NOT NULL AND q.client = ANY (n.actors)) AS named
) AS who
CROSS JOIN LATERAL (
    SELECT NOT named AND NOT (q.unresolved AND n.chained) AND NOT EXISTS (
        SELECT FROM unnest(n.collectives) AS listed (actor_key)
        WHERE NOT EXISTS (
            SELECT FROM collective AS c WHERE c.actor_key = listed.actor_key AND c.resolvable
        )
    ) AS unnamed
) AS who_not
CROSS JOIN LATERAL (
    SELECT (n.purposes IS NULL OR n.purposes & q.purpose <> 0)
        AND (n.actions IS NULL OR n.actions & q.action <> 0)
        AND (n.starts IS NULL OR n.starts <= q.at)
        AND (n.ends IS NULL OR q.at < n.ends) AS timely
) AS why_and_when
GROUP BY g.patient_key, g.consent_key, g.ordinal, g.consent_ref, g.effect, g.shape_key
"""
