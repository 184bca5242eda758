-- The usual questions, for `report` or `duckdb mcas.duckdb < queries.sql`.
-- All fields of a message are lists: the first value is [1].

-- Which terminals failed
-- A result code that is not success, a status that is not 2xx, or no response.
SELECT request.terminal_id[1] AS terminal,
    request.terminal_id_oui_resolved[1] AS vendor,
    list_sort(list(DISTINCT CASE
        WHEN response IS NULL THEN 'no response'
        WHEN list_contains(response.note, 'mcas.result_code.failure')
            THEN 'result ' || coalesce(
                response.result_code[1]::VARCHAR, 'not a number')
        ELSE 'HTTP ' || response.status[1] END)) AS failures,
    count(*) AS times,
    max(time) AS last_time,
    any_value(capture ORDER BY time DESC) AS last_capture
FROM exchanges
WHERE request.terminal_id[1] <> ''
    AND (response IS NULL
        OR list_contains(response.note, 'mcas.result_code.failure')
        OR response.status[1] NOT BETWEEN 200 AND 299)
GROUP BY ALL
ORDER BY times DESC, terminal;

-- Firmware by model
-- What devices run, by their User-Agents, the images they asked for, and how
-- often they were not given one: no response, or a status that is not 2xx.
SELECT request.device_model[1] AS model,
    request.device_firmware[1] AS runs,
    list_sort(list(DISTINCT request.firmware_file[1])) AS asked_for,
    count(*) FILTER (request.firmware_path IS NOT NULL
        AND (response IS NULL OR coalesce(response.status[1], 0)
            NOT BETWEEN 200 AND 299)) AS not_given,
    count(DISTINCT client) AS clients,
    max(time) AS last_time
FROM exchanges
WHERE request.device_model IS NOT NULL
GROUP BY ALL
ORDER BY model, runs;

-- Who shares a SIP server
-- Of several requests of a terminal, the last answer counts.
WITH latest AS (
    SELECT request.terminal_id[1] AS terminal,
        arg_max(response.sipsv_addr[1], time) AS server
    FROM exchanges
    WHERE request.terminal_id[1] <> '' AND response.sipsv_addr IS NOT NULL
    GROUP BY terminal
)
SELECT server,
    count(*) AS terminals,
    list_sort(list(terminal))[:5] AS the_first_five
FROM latest
GROUP BY server
ORDER BY terminals DESC, server;

-- Slowest responses
SELECT seconds, kind, client, server, capture, request.frame AS frame
FROM exchanges
WHERE seconds IS NOT NULL
ORDER BY seconds DESC, capture, frame
LIMIT 10;

-- Captures that could not be read whole
SELECT capture, status, exchanges, reason
FROM captures
WHERE reason IS NOT NULL
ORDER BY capture;
