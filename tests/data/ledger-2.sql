PRAGMA application_id = 1835100465;
PRAGMA user_version = 2;
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
INSERT INTO "attempts" VALUES(1,'01a21338-51b4-7918-9c19-ceaff43f3587-1','01a21338-51b4-7918-9c19-ceaff43f3587',1,'settled_exact',1,'2026-11-22','MAI-Thinking-1','MAI-Thinking-1-1','foundry','reasoning','create',NULL,'{"team": "a"}',1795305610.0,1795305610.0,90000,1795305612.0,'USD','exact',1880000,1880000,NULL,NULL,NULL,NULL,'ServiceUnavailable',NULL,NULL,NULL,NULL,'reported',1000,200,NULL,NULL,NULL,30,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(2,'01a21338-51b4-7918-9c19-ceaff43f3587-2','01a21338-51b4-7918-9c19-ceaff43f3587',2,'settled_exact',1,'2026-11-22','MAI-Thinking-1','MAI-Thinking-1-1','foundry','reasoning','create',NULL,'{"team": "a"}',1795305610.0,1795345610.0,90000,1795345613.0,'USD','exact',4040000,4040000,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'reported',1000,200,NULL,NULL,NULL,300,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3,'01a21338-51c9-7553-9529-2d8a66eefd0a-1','01a21338-51c9-7553-9529-2d8a66eefd0a',1,'settled_estimated',1,'2026-11-23','Euro','Euro-1','foundry','reasoning','create',NULL,'{}',1795392005.0,1795392005.0,66600,1795392006.0,'EUR','estimated',59200,59200,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'estimated',7,NULL,NULL,NULL,NULL,9,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(4,'01a21338-51ca-7cff-9232-ed9b951d19dc-1','01a21338-51ca-7cff-9232-ed9b951d19dc',1,'settled_exact',1,'2026-11-22','nobody''s','nobody''s-1','foundry','reasoning','create',NULL,'{}',1795305620.0,1795305620.0,NULL,1795305621.0,NULL,'unknown',NULL,0,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'reported',7,NULL,NULL,NULL,NULL,9,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(5,'01a21338-51ca-7cff-9232-ed9b951d19dc-2','01a21338-51ca-7cff-9232-ed9b951d19dc',2,'unknown',1,'2026-11-22','nobody''s','nobody''s-1','foundry','reasoning','create',NULL,'{}',1795305620.0,1795345620.0,NULL,1795345621.0,NULL,'unknown',NULL,0,NULL,NULL,NULL,200,NULL,NULL,NULL,NULL,NULL,'unknown',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(6,'01a21338-51ca-7cff-9232-ed9c4ca63569-1','01a21338-51ca-7cff-9232-ed9c4ca63569',1,'released',1,'2026-11-22','MAI-Thinking-1','MAI-Thinking-1-1','foundry','reasoning','create',NULL,'{}',1795305630.0,1795305630.0,90000,1795305631.0,NULL,'free',0,0,NULL,NULL,NULL,NULL,'TimedOut',NULL,NULL,NULL,NULL,'reported',0,0,0,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE budgets (
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    limit_nanos INTEGER NOT NULL CHECK (limit_nanos >= 0),
    spent_nanos INTEGER NOT NULL CHECK (spent_nanos >= 0),
    reserved_nanos INTEGER NOT NULL CHECK (reserved_nanos >= 0),
    PRIMARY KEY (budget_id, period)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "details" VALUES(1,'{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000018000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000072000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"exact","lines":[{"meter":"cached_input_tokens","quantity":200,"amount":"0.000040000","price":{"model":"MAI-Thinking-1","meter":"cached_input_tokens","amount":"0.20","per":1000000,"valid_from":"2026-08-12","source":"LiteLLM 1.106.2; lists citing the Azure Retail Prices API","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"input_tokens","quantity":800,"amount":"0.001600000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":30,"amount":"0.000240000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}',NULL);
INSERT INTO "details" VALUES(2,'{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000018000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000072000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"exact","lines":[{"meter":"cached_input_tokens","quantity":200,"amount":"0.000040000","price":{"model":"MAI-Thinking-1","meter":"cached_input_tokens","amount":"0.20","per":1000000,"valid_from":"2026-08-12","source":"LiteLLM 1.106.2; lists citing the Azure Retail Prices API","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"input_tokens","quantity":800,"amount":"0.001600000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":300,"amount":"0.002400000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}',NULL);
INSERT INTO "details" VALUES(3,'{"currency":"EUR","status":"exact","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000033300","price":{"model":"Euro","meter":"input_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}},{"meter":"output_tokens","quantity":9,"amount":"0.000033300","price":{"model":"Euro","meter":"output_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}}]}','{"currency":"EUR","status":"estimated","reason":"The service did not say what was used, so the quantities are our estimate.","lines":[{"meter":"input_tokens","quantity":7,"amount":"0.000025900","price":{"model":"Euro","meter":"input_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}},{"meter":"output_tokens","quantity":9,"amount":"0.000033300","price":{"model":"Euro","meter":"output_tokens","amount":"0.0000037","per":1,"currency":"EUR","valid_from":"0001-01-01","source":"the price overlay","checked":"not said","unit":"1 token"}}]}',NULL);
INSERT INTO "details" VALUES(4,'{"status":"unknown","reason":"No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","lines":[{"meter":"input_tokens","quantity":9,"amount":null,"price":null},{"meter":"output_tokens","quantity":9,"amount":null,"price":null}]}','{"status":"unknown","reason":"No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","lines":[{"meter":"input_tokens","quantity":7,"amount":null,"price":null},{"meter":"output_tokens","quantity":9,"amount":null,"price":null}]}',NULL);
INSERT INTO "details" VALUES(5,'{"status":"unknown","reason":"No price is known for input_tokens of nobody''s on foundry: add a [[prices]] row for input_tokens with its price per \"1M tokens\" to the price overlay.","lines":[{"meter":"input_tokens","quantity":9,"amount":null,"price":null},{"meter":"output_tokens","quantity":9,"amount":null,"price":null}]}','{"status":"unknown","reason":"No."}',NULL);
INSERT INTO "details" VALUES(6,'{"status":"estimated","reason":"The service did not report cached_input_tokens, so all is priced at the full rate and the cost may be lower.","lines":[{"meter":"input_tokens","quantity":9,"amount":"0.000018000","price":{"model":"MAI-Thinking-1","meter":"input_tokens","amount":"2.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}},{"meter":"output_tokens","quantity":9,"amount":"0.000072000","price":{"model":"MAI-Thinking-1","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-08-12","source":"Portkey-AI/models PR #901 (2026-08-24, cites microsoft.ai); LiteLLM 1.106.2","checked":"2026-11-22","unit":"1M tokens"}}]}','{"status":"free","reason":"Nothing ran."}',NULL);
CREATE TABLE writers (
    writer INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL
) STRICT;
INSERT INTO "writers" VALUES(1,'h','b',1,'s');
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_call ON attempts (call_id);
CREATE INDEX attempts_open ON attempts (writer) WHERE state IN ('reserved', 'sent')
;
COMMIT;
