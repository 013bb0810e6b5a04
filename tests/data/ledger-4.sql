BEGIN TRANSACTION;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    attempt_id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'settled_exact',
        'settled_estimated', 'released', 'unknown')),
    writer INTEGER REFERENCES writers,
    day TEXT NOT NULL,
    model TEXT,
    deployment TEXT,
    surface TEXT NOT NULL,
    modality TEXT NOT NULL,
    verb TEXT NOT NULL,
    session TEXT,
    tags TEXT NOT NULL,
    started_at REAL NOT NULL,
    reserved_at REAL NOT NULL,
    upper_bound_nanos INTEGER CHECK (upper_bound_nanos >= 0),
    settled_at REAL,
    currency TEXT,
    cost_status TEXT CHECK (cost_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    cost_nanos INTEGER CHECK (cost_nanos >= 0),
    known_nanos INTEGER CHECK (known_nanos >= 0),
    repriced_status TEXT CHECK (repriced_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    repriced_nanos INTEGER CHECK (repriced_nanos >= 0),
    repriced_known_nanos INTEGER CHECK (repriced_known_nanos >= 0),
    status INTEGER,
    error TEXT,
    request_id TEXT,
    first_byte REAL,
    first_content REAL,
    seconds REAL,
    basis TEXT CHECK (basis IN ('reported', 'estimated', 'lower_bound', 'unknown')),
    input_tokens INTEGER CHECK (input_tokens >= 0),
    cached_input_tokens INTEGER CHECK (cached_input_tokens >= 0),
    text_input_tokens INTEGER CHECK (text_input_tokens >= 0),
    image_input_tokens INTEGER CHECK (image_input_tokens >= 0),
    audio_input_tokens INTEGER CHECK (audio_input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),
    image_output_tokens INTEGER CHECK (image_output_tokens >= 0),
    audio_output_tokens INTEGER CHECK (audio_output_tokens >= 0),
    images INTEGER CHECK (images >= 0),
    audio_seconds INTEGER CHECK (audio_seconds >= 0),
    spoken_seconds INTEGER CHECK (spoken_seconds >= 0),
    unheard_seconds INTEGER CHECK (unheard_seconds >= 0),
    characters INTEGER CHECK (characters >= 0),
    CHECK ((state IN ('reserved', 'sent')) = (settled_at IS NULL)),
    CHECK ((settled_at IS NULL) = (cost_status IS NULL)),
    CHECK ((settled_at IS NULL) = (basis IS NULL)),
    CHECK (cost_status IS NULL OR (cost_status = 'unknown') = (cost_nanos IS NULL)),
    CHECK ((cost_status IS NULL) = (known_nanos IS NULL))
) STRICT;
INSERT INTO "attempts" VALUES(1,'01a21361-3bfa-7943-90aa-2f2a023febf8-1','01a21361-3bfa-7943-90aa-2f2a023febf8',1,'settled_exact',1,'2026-11-22','MAI-Thinking-1','MAI-Thinking-1-1','foundry','reasoning','create',NULL,'{"team": "a"}',1795305605.0,1795305605.0,90000,1795305606.0,'USD','estimated',2800000,2800000,'exact',500000000,500000000,NULL,'TimedOut',NULL,NULL,NULL,NULL,'reported',1000,NULL,NULL,NULL,NULL,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(2,'01a21361-3bfa-7943-90aa-2f2a023febf8-2','01a21361-3bfa-7943-90aa-2f2a023febf8',2,'settled_exact',1,'2026-11-22','MAI-Thinking-1','MAI-Thinking-1-1','foundry','reasoning','create',NULL,'{"team": "a"}',1795305605.0,1795345605.0,90000,1795345606.0,'USD','estimated',2800000,2800000,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'reported',1000,NULL,NULL,NULL,NULL,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3,'01a21361-3bfc-7604-89cc-7dfd4430aeda-1','01a21361-3bfc-7604-89cc-7dfd4430aeda',1,'settled_exact',1,'2026-11-23','Euro','Euro-1','foundry','reasoning','create',NULL,'{}',1795392005.0,1795392005.0,66600,1795392006.0,'EUR','exact',4070000,4070000,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'reported',1000,NULL,NULL,NULL,NULL,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(4,'01a21361-3bfd-74cc-99a9-ba8e05ba8ce7-1','01a21361-3bfd-74cc-99a9-ba8e05ba8ce7',1,'settled_exact',1,'2026-11-22','nobody''s','nobody''s-1','foundry','reasoning','create',NULL,'{}',1795305609.0,1795305609.0,NULL,1795305610.0,NULL,'unknown',NULL,0,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'reported',1000,NULL,NULL,NULL,NULL,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(5,'01a21361-3bfe-732a-9e6f-44cd8084fc3a-1','01a21361-3bfe-732a-9e6f-44cd8084fc3a',1,'unknown',1,'2026-11-22','MAI-Code-1-Flash','MAI-Code-1-Flash-1','foundry','reasoning','create',NULL,'{}',1795305619.0,1795305619.0,47250,1795305620.0,NULL,'unknown',NULL,0,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'unknown',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE budgets (
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    limit_nanos INTEGER NOT NULL CHECK (limit_nanos >= 0),
    spent_nanos INTEGER NOT NULL CHECK (spent_nanos >= 0),
    reserved_nanos INTEGER NOT NULL CHECK (reserved_nanos >= 0),
    PRIMARY KEY (budget_id, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE cell_parts (
    cell INTEGER NOT NULL REFERENCES cells,
    kind TEXT NOT NULL CHECK (kind IN ('line', 'milliseconds', 'spent')),
    name TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    nanos INTEGER NOT NULL,
    PRIMARY KEY (cell, kind, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "cell_parts" VALUES(1,'line','input_tokens {"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}',1,1,1000,2000000);
INSERT INTO "cell_parts" VALUES(1,'line','output_tokens {"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}',1,1,100,800000);
INSERT INTO "cell_parts" VALUES(2,'line','input_tokens {"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}',1,0,1000,2000000);
INSERT INTO "cell_parts" VALUES(2,'line','output_tokens {"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}',1,0,100,800000);
INSERT INTO "cell_parts" VALUES(2,'milliseconds','40000000',1,0,0,0);
INSERT INTO "cell_parts" VALUES(2,'spent','2800000',1,0,0,0);
INSERT INTO "cell_parts" VALUES(3,'line','input_tokens {"model":"Euro","meter":"input_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}',1,1,1000,3700000);
INSERT INTO "cell_parts" VALUES(3,'line','output_tokens {"model":"Euro","meter":"output_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}',1,1,100,370000);
INSERT INTO "cell_parts" VALUES(3,'milliseconds','1000',1,0,0,0);
INSERT INTO "cell_parts" VALUES(3,'spent','4040000',1,0,0,0);
INSERT INTO "cell_parts" VALUES(4,'line','input_tokens null',1,1,1000,0);
INSERT INTO "cell_parts" VALUES(4,'line','output_tokens null',1,1,100,0);
INSERT INTO "cell_parts" VALUES(4,'milliseconds','1000',1,0,0,0);
CREATE TABLE cells (
    cell INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    attempts INTEGER NOT NULL, calls INTEGER NOT NULL, nanos INTEGER NOT NULL, input_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL, text_input_tokens INTEGER NOT NULL, image_input_tokens INTEGER NOT NULL, audio_input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, image_output_tokens INTEGER NOT NULL, audio_output_tokens INTEGER NOT NULL, images INTEGER NOT NULL, audio_seconds INTEGER NOT NULL, spoken_seconds INTEGER NOT NULL, unheard_seconds INTEGER NOT NULL, characters INTEGER NOT NULL, unheard_attempts INTEGER NOT NULL, unheard_priced INTEGER NOT NULL, unheard_nanos INTEGER NOT NULL
) STRICT;
INSERT INTO "cells" VALUES(1,20779,'["2026-11-22","reasoning","MAI-Thinking-1","MAI-Thinking-1-1","foundry","{\"team\": \"a\"}",null,"TimedOut","USD","estimated","The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","reported",33,20779]',1,1,2800000,1000,0,0,0,0,100,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO "cells" VALUES(2,20779,'["2026-11-22","reasoning","MAI-Thinking-1","MAI-Thinking-1-1","foundry","{\"team\": \"a\"}",200,null,"USD","estimated","The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","reported",33,20779]',1,0,2800000,1000,0,0,0,0,100,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO "cells" VALUES(3,20780,'["2026-11-23","reasoning","Euro","Euro-1","foundry","{}",200,null,"EUR","exact",null,"reported",33,20780]',1,1,4070000,1000,0,0,0,0,100,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO "cells" VALUES(4,20779,'["2026-11-22","reasoning","nobody''s","nobody''s-1","foundry","{}",200,null,"USD","unknown","No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","reported",33,20779]',1,1,0,1000,0,0,0,0,100,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE claims (
    attempt_id TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    nanos INTEGER NOT NULL CHECK (nanos >= 0),
    charged_nanos INTEGER CHECK (charged_nanos >= 0),
    PRIMARY KEY (attempt_id, budget_id, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE details (
    id INTEGER PRIMARY KEY REFERENCES attempts,
    upper_bound TEXT,
    cost TEXT,
    repriced TEXT
) STRICT;
INSERT INTO "details" VALUES(1,'{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000018000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000072000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":1000,"amount":"0.002000000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":100,"amount":"0.000800000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"exact"}');
INSERT INTO "details" VALUES(2,'{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000018000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000072000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":1000,"amount":"0.002000000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":100,"amount":"0.000800000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}',NULL);
INSERT INTO "details" VALUES(3,'{"currency":"EUR","status":"exact","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000033300","price":{"model":"Euro","meter":"input_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}},{"meter":"output_tokens","quantity":9,"amount":"0.000033300","price":{"model":"Euro","meter":"output_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}}]}','{"currency":"EUR","status":"exact","lines":[{"meter":"input_tokens","quantity":1000,"amount":"0.003700000","price":{"model":"Euro","meter":"input_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}},{"meter":"output_tokens","quantity":100,"amount":"0.000370000","price":{"model":"Euro","meter":"output_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}}]}',NULL);
INSERT INTO "details" VALUES(4,'{"status":"unknown","reason":"No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","lines":[{"meter":"input_tokens","quantity":9,"amount":null,"price":null},{"meter":"output_tokens","quantity":9,"amount":null,"price":null}]}','{"status":"unknown","reason":"No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","lines":[{"meter":"input_tokens","quantity":1000,"amount":null,"price":null},{"meter":"output_tokens","quantity":100,"amount":null,"price":null}]}',NULL);
INSERT INTO "details" VALUES(5,'{"status":"estimated","reason":"MAI-Code-1-Flash is priced here at what another channel asks (GitHub Copilot list price, LiteLLM PR #30415 (2026-06-14); genai-prices 0.2.3), not at Microsoft''s list price; put the price you are billed into the price overlay.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000006750","price":{"model":"MAI-Code-1-Flash","meter":"input_tokens","amount":"0.75","per":1000000,"valid_from":"2026-06-14","source":"GitHub Copilot list price, LiteLLM PR #30415 (2026-06-14); genai-prices 0.2.3","checked":"2026-11-22","basis":"other_channel","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000040500","price":{"model":"MAI-Code-1-Flash","meter":"output_tokens","amount":"4.50","per":1000000,"valid_from":"2026-06-14","source":"GitHub Copilot list price, LiteLLM PR #30415 (2026-06-14); genai-prices 0.2.3","checked":"2026-11-22","basis":"other_channel","unit":"1M tokens"}}]}','{"status":"unknown","reason":"No."}',NULL);
CREATE TABLE writers (
    writer INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL
) STRICT;
INSERT INTO "writers" VALUES(1,'a-host','a-boot',11593,'1');
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_call ON attempts (call_id);
CREATE INDEX attempts_open ON attempts (writer) WHERE state IN ('reserved', 'sent')
;
CREATE INDEX attempts_apart ON attempts (reserved_at, attempt_id) WHERE state = 'unknown' OR known_nanos > 1000000000000000 OR input_tokens > 1000000000000000 OR cached_input_tokens > 1000000000000000 OR text_input_tokens > 1000000000000000 OR image_input_tokens > 1000000000000000 OR audio_input_tokens > 1000000000000000 OR output_tokens > 1000000000000000 OR reasoning_tokens > 1000000000000000 OR image_output_tokens > 1000000000000000 OR audio_output_tokens > 1000000000000000 OR images > 1000000000000000 OR audio_seconds > 1000000000000000 OR spoken_seconds > 1000000000000000 OR unheard_seconds > 1000000000000000 OR characters > 1000000000000000
;
CREATE TRIGGER sum_up_settled AFTER UPDATE OF cost ON details
WHEN (SELECT state NOT IN ('reserved', 'sent') AND NOT coalesce(state = 'unknown' OR known_nanos > 1000000000000000 OR input_tokens > 1000000000000000 OR cached_input_tokens > 1000000000000000 OR text_input_tokens > 1000000000000000 OR image_input_tokens > 1000000000000000 OR audio_input_tokens > 1000000000000000 OR output_tokens > 1000000000000000 OR reasoning_tokens > 1000000000000000 OR image_output_tokens > 1000000000000000 OR audio_output_tokens > 1000000000000000 OR images > 1000000000000000 OR audio_seconds > 1000000000000000 OR spoken_seconds > 1000000000000000 OR unheard_seconds > 1000000000000000 OR characters > 1000000000000000, 0)
    FROM attempts WHERE id = NEW.id)
BEGIN 
INSERT INTO cells (day, key, attempts, calls, nanos, input_tokens, cached_input_tokens, text_input_tokens, image_input_tokens, audio_input_tokens, output_tokens, reasoning_tokens, image_output_tokens, audio_output_tokens, images, audio_seconds, spoken_seconds, unheard_seconds, characters, unheard_attempts, unheard_priced, unheard_nanos)
SELECT CAST(a.reserved_at / 86400 AS INTEGER), json_array(a.day, a.modality, a.model, a.deployment, a.surface, a.tags, a.status,
    a.error, coalesce(d.cost ->> '$.currency', 'USD'), a.cost_status, d.cost ->> '$.reason',
    a.basis, (a.input_tokens IS NOT NULL) * 1 + (a.cached_input_tokens IS NOT NULL) * 2 + (a.text_input_tokens IS NOT NULL) * 4 + (a.image_input_tokens IS NOT NULL) * 8 + (a.audio_input_tokens IS NOT NULL) * 16 + (a.output_tokens IS NOT NULL) * 32 + (a.reasoning_tokens IS NOT NULL) * 64 + (a.image_output_tokens IS NOT NULL) * 128 + (a.audio_output_tokens IS NOT NULL) * 256 + (a.images IS NOT NULL) * 512 + (a.audio_seconds IS NOT NULL) * 1024 + (a.spoken_seconds IS NOT NULL) * 2048 + (a.unheard_seconds IS NOT NULL) * 4096 + (a.characters IS NOT NULL) * 8192, CAST(a.reserved_at / 86400 AS INTEGER)), 1, a.number = 1, a.known_nanos,
    coalesce(a.input_tokens, 0), coalesce(a.cached_input_tokens, 0), coalesce(a.text_input_tokens, 0), coalesce(a.image_input_tokens, 0), coalesce(a.audio_input_tokens, 0), coalesce(a.output_tokens, 0), coalesce(a.reasoning_tokens, 0), coalesce(a.image_output_tokens, 0), coalesce(a.audio_output_tokens, 0), coalesce(a.images, 0), coalesce(a.audio_seconds, 0), coalesce(a.spoken_seconds, 0), coalesce(a.unheard_seconds, 0), coalesce(a.characters, 0),
    coalesce(a.unheard_seconds > 0, 0), (SELECT count(*) > 0 FROM json_each(d.cost, '$.lines') AS line
    WHERE a.unheard_seconds > 0 AND a.spoken_seconds > 0 AND line.value ->> '$.meter' IN ('audio_output_tokens', 'spoken_seconds') AND line.value ->> '$.amount' IS NOT NULL), (SELECT coalesce(sum(CAST(CASE WHEN substr(line.value ->> '$.amount', -10, 1) = '.' THEN replace(line.value ->> '$.amount', '.', '')
    WHEN instr(line.value ->> '$.amount', '.') = 0 THEN line.value ->> '$.amount' || '000000000'
    ELSE substr(line.value ->> '$.amount', 1, instr(line.value ->> '$.amount', '.') - 1)
        || substr(substr(line.value ->> '$.amount', instr(line.value ->> '$.amount', '.') + 1) || '000000000', 1, 9)
    END AS INTEGER) / a.spoken_seconds * a.unheard_seconds
        + CAST(CASE WHEN substr(line.value ->> '$.amount', -10, 1) = '.' THEN replace(line.value ->> '$.amount', '.', '')
    WHEN instr(line.value ->> '$.amount', '.') = 0 THEN line.value ->> '$.amount' || '000000000'
    ELSE substr(line.value ->> '$.amount', 1, instr(line.value ->> '$.amount', '.') - 1)
        || substr(substr(line.value ->> '$.amount', instr(line.value ->> '$.amount', '.') + 1) || '000000000', 1, 9)
    END AS INTEGER) % a.spoken_seconds * a.unheard_seconds / a.spoken_seconds), 0) FROM json_each(d.cost, '$.lines') AS line
    WHERE a.unheard_seconds > 0 AND a.spoken_seconds > 0 AND line.value ->> '$.meter' IN ('audio_output_tokens', 'spoken_seconds') AND line.value ->> '$.amount' IS NOT NULL)
FROM details AS d JOIN attempts AS a USING (id) WHERE d.id = NEW.id
ON CONFLICT (key) DO UPDATE SET attempts = attempts + excluded.attempts, calls = calls + excluded.calls, nanos = nanos + excluded.nanos, input_tokens = input_tokens + excluded.input_tokens, cached_input_tokens = cached_input_tokens + excluded.cached_input_tokens, text_input_tokens = text_input_tokens + excluded.text_input_tokens, image_input_tokens = image_input_tokens + excluded.image_input_tokens, audio_input_tokens = audio_input_tokens + excluded.audio_input_tokens, output_tokens = output_tokens + excluded.output_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, image_output_tokens = image_output_tokens + excluded.image_output_tokens, audio_output_tokens = audio_output_tokens + excluded.audio_output_tokens, images = images + excluded.images, audio_seconds = audio_seconds + excluded.audio_seconds, spoken_seconds = spoken_seconds + excluded.spoken_seconds, unheard_seconds = unheard_seconds + excluded.unheard_seconds, characters = characters + excluded.characters, unheard_attempts = unheard_attempts + excluded.unheard_attempts, unheard_priced = unheard_priced + excluded.unheard_priced, unheard_nanos = unheard_nanos + excluded.unheard_nanos
; 
INSERT INTO cell_parts (cell, kind, name, attempts, calls, quantity, nanos)
SELECT cell, part.kind, part.name, part.attempts, part.calls, part.quantity, part.nanos
FROM (SELECT cell FROM cells WHERE key = (SELECT json_array(a.day, a.modality, a.model, a.deployment, a.surface, a.tags, a.status,
    a.error, coalesce(d.cost ->> '$.currency', 'USD'), a.cost_status, d.cost ->> '$.reason',
    a.basis, (a.input_tokens IS NOT NULL) * 1 + (a.cached_input_tokens IS NOT NULL) * 2 + (a.text_input_tokens IS NOT NULL) * 4 + (a.image_input_tokens IS NOT NULL) * 8 + (a.audio_input_tokens IS NOT NULL) * 16 + (a.output_tokens IS NOT NULL) * 32 + (a.reasoning_tokens IS NOT NULL) * 64 + (a.image_output_tokens IS NOT NULL) * 128 + (a.audio_output_tokens IS NOT NULL) * 256 + (a.images IS NOT NULL) * 512 + (a.audio_seconds IS NOT NULL) * 1024 + (a.spoken_seconds IS NOT NULL) * 2048 + (a.unheard_seconds IS NOT NULL) * 4096 + (a.characters IS NOT NULL) * 8192, CAST(a.reserved_at / 86400 AS INTEGER)) FROM details AS d JOIN attempts AS a USING (id) WHERE d.id = NEW.id)), (
    SELECT 'line' AS kind,
        (line.value ->> '$.meter') || ' ' || coalesce(line.value -> '$.price', 'null') AS name,
        1 AS attempts, a.number = 1 AS calls,
        CAST(line.value ->> '$.quantity' AS INTEGER) AS quantity, coalesce(CAST(CASE WHEN substr(line.value ->> '$.amount', -10, 1) = '.' THEN replace(line.value ->> '$.amount', '.', '')
    WHEN instr(line.value ->> '$.amount', '.') = 0 THEN line.value ->> '$.amount' || '000000000'
    ELSE substr(line.value ->> '$.amount', 1, instr(line.value ->> '$.amount', '.') - 1)
        || substr(substr(line.value ->> '$.amount', instr(line.value ->> '$.amount', '.') + 1) || '000000000', 1, 9)
    END AS INTEGER), 0) AS nanos
    FROM attempts AS a JOIN json_each(NEW.cost, '$.lines') AS line WHERE a.id = NEW.id
    UNION ALL
    SELECT 'milliseconds', CASE WHEN a.taken < 0 THEN 0 WHEN a.taken < 100 THEN a.taken WHEN a.taken < 200 THEN a.taken / 2 * 2 WHEN a.taken < 500 THEN a.taken / 4 * 4 WHEN a.taken < 1000 THEN a.taken / 10 * 10 WHEN a.taken < 2000 THEN a.taken / 20 * 20 WHEN a.taken < 5000 THEN a.taken / 40 * 40 WHEN a.taken < 10000 THEN a.taken / 100 * 100 WHEN a.taken < 20000 THEN a.taken / 200 * 200 WHEN a.taken < 50000 THEN a.taken / 400 * 400 WHEN a.taken < 100000 THEN a.taken / 1000 * 1000 WHEN a.taken < 200000 THEN a.taken / 2000 * 2000 WHEN a.taken < 500000 THEN a.taken / 4000 * 4000 WHEN a.taken < 1000000 THEN a.taken / 10000 * 10000 WHEN a.taken < 2000000 THEN a.taken / 20000 * 20000 WHEN a.taken < 5000000 THEN a.taken / 40000 * 40000 WHEN a.taken < 10000000 THEN a.taken / 100000 * 100000 WHEN a.taken < 20000000 THEN a.taken / 200000 * 200000 WHEN a.taken < 50000000 THEN a.taken / 400000 * 400000 WHEN a.taken < 100000000 THEN a.taken / 1000000 * 1000000 WHEN a.taken < 200000000 THEN a.taken / 2000000 * 2000000 WHEN a.taken < 500000000 THEN a.taken / 4000000 * 4000000 WHEN a.taken < 1000000000 THEN a.taken / 10000000 * 10000000 WHEN a.taken < 2000000000 THEN a.taken / 20000000 * 20000000 WHEN a.taken < 5000000000 THEN a.taken / 40000000 * 40000000 WHEN a.taken < 10000000000 THEN a.taken / 100000000 * 100000000 WHEN a.taken < 20000000000 THEN a.taken / 200000000 * 200000000 WHEN a.taken < 50000000000 THEN a.taken / 400000000 * 400000000 WHEN a.taken < 100000000000 THEN a.taken / 1000000000 * 1000000000 WHEN a.taken < 200000000000 THEN a.taken / 2000000000 * 2000000000 WHEN a.taken < 500000000000 THEN a.taken / 4000000000 * 4000000000 WHEN a.taken < 1000000000000 THEN a.taken / 10000000000 * 10000000000 WHEN a.taken < 2000000000000 THEN a.taken / 20000000000 * 20000000000 WHEN a.taken < 5000000000000 THEN a.taken / 40000000000 * 40000000000 WHEN a.taken < 10000000000000 THEN a.taken / 100000000000 * 100000000000 WHEN a.taken < 20000000000000 THEN a.taken / 200000000000 * 200000000000 WHEN a.taken < 50000000000000 THEN a.taken / 400000000000 * 400000000000 WHEN a.taken < 100000000000000 THEN a.taken / 1000000000000 * 1000000000000 WHEN a.taken < 200000000000000 THEN a.taken / 2000000000000 * 2000000000000 WHEN a.taken < 500000000000000 THEN a.taken / 4000000000000 * 4000000000000 WHEN a.taken < 1000000000000000 THEN a.taken / 10000000000000 * 10000000000000 ELSE 1000000000000000 END, 1, 0, 0, 0
    FROM (SELECT CAST((settled_at - started_at) * 1000 AS INTEGER) AS taken FROM attempts
        WHERE id = NEW.id AND error IS NULL AND state != 'released') AS a
    UNION ALL
    SELECT 'spent', CASE WHEN a.known_nanos < 0 THEN 0 WHEN a.known_nanos < 100 THEN a.known_nanos WHEN a.known_nanos < 200 THEN a.known_nanos / 2 * 2 WHEN a.known_nanos < 500 THEN a.known_nanos / 4 * 4 WHEN a.known_nanos < 1000 THEN a.known_nanos / 10 * 10 WHEN a.known_nanos < 2000 THEN a.known_nanos / 20 * 20 WHEN a.known_nanos < 5000 THEN a.known_nanos / 40 * 40 WHEN a.known_nanos < 10000 THEN a.known_nanos / 100 * 100 WHEN a.known_nanos < 20000 THEN a.known_nanos / 200 * 200 WHEN a.known_nanos < 50000 THEN a.known_nanos / 400 * 400 WHEN a.known_nanos < 100000 THEN a.known_nanos / 1000 * 1000 WHEN a.known_nanos < 200000 THEN a.known_nanos / 2000 * 2000 WHEN a.known_nanos < 500000 THEN a.known_nanos / 4000 * 4000 WHEN a.known_nanos < 1000000 THEN a.known_nanos / 10000 * 10000 WHEN a.known_nanos < 2000000 THEN a.known_nanos / 20000 * 20000 WHEN a.known_nanos < 5000000 THEN a.known_nanos / 40000 * 40000 WHEN a.known_nanos < 10000000 THEN a.known_nanos / 100000 * 100000 WHEN a.known_nanos < 20000000 THEN a.known_nanos / 200000 * 200000 WHEN a.known_nanos < 50000000 THEN a.known_nanos / 400000 * 400000 WHEN a.known_nanos < 100000000 THEN a.known_nanos / 1000000 * 1000000 WHEN a.known_nanos < 200000000 THEN a.known_nanos / 2000000 * 2000000 WHEN a.known_nanos < 500000000 THEN a.known_nanos / 4000000 * 4000000 WHEN a.known_nanos < 1000000000 THEN a.known_nanos / 10000000 * 10000000 WHEN a.known_nanos < 2000000000 THEN a.known_nanos / 20000000 * 20000000 WHEN a.known_nanos < 5000000000 THEN a.known_nanos / 40000000 * 40000000 WHEN a.known_nanos < 10000000000 THEN a.known_nanos / 100000000 * 100000000 WHEN a.known_nanos < 20000000000 THEN a.known_nanos / 200000000 * 200000000 WHEN a.known_nanos < 50000000000 THEN a.known_nanos / 400000000 * 400000000 WHEN a.known_nanos < 100000000000 THEN a.known_nanos / 1000000000 * 1000000000 WHEN a.known_nanos < 200000000000 THEN a.known_nanos / 2000000000 * 2000000000 WHEN a.known_nanos < 500000000000 THEN a.known_nanos / 4000000000 * 4000000000 WHEN a.known_nanos < 1000000000000 THEN a.known_nanos / 10000000000 * 10000000000 WHEN a.known_nanos < 2000000000000 THEN a.known_nanos / 20000000000 * 20000000000 WHEN a.known_nanos < 5000000000000 THEN a.known_nanos / 40000000000 * 40000000000 WHEN a.known_nanos < 10000000000000 THEN a.known_nanos / 100000000000 * 100000000000 WHEN a.known_nanos < 20000000000000 THEN a.known_nanos / 200000000000 * 200000000000 WHEN a.known_nanos < 50000000000000 THEN a.known_nanos / 400000000000 * 400000000000 WHEN a.known_nanos < 100000000000000 THEN a.known_nanos / 1000000000000 * 1000000000000 WHEN a.known_nanos < 200000000000000 THEN a.known_nanos / 2000000000000 * 2000000000000 WHEN a.known_nanos < 500000000000000 THEN a.known_nanos / 4000000000000 * 4000000000000 WHEN a.known_nanos < 1000000000000000 THEN a.known_nanos / 10000000000000 * 10000000000000 ELSE 1000000000000000 END, 1, 0, 0, 0 FROM attempts AS a
    WHERE id = NEW.id AND error IS NULL AND cost_status NOT IN ('free', 'unknown')
) AS part WHERE true
ON CONFLICT DO UPDATE SET attempts = attempts + excluded.attempts, calls = calls + excluded.calls,
    quantity = quantity + excluded.quantity, nanos = nanos + excluded.nanos
; END;
CREATE INDEX attempts_repriced ON attempts (reserved_at, attempt_id) WHERE repriced_status IS NOT NULL;
COMMIT;
PRAGMA application_id = 1835100465;
PRAGMA user_version = 4;
