PRAGMA application_id = 1835100465;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE attempts (
    attempt_id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES operations,
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'settled_exact',
        'settled_estimated', 'released', 'unknown')),
    reserved_at REAL NOT NULL,
    upper_bound_nanos INTEGER CHECK (upper_bound_nanos >= 0),
    upper_bound TEXT,
    settled_at REAL,
    usage TEXT,
    cost_nanos INTEGER CHECK (cost_nanos >= 0),
    cost TEXT,
    status INTEGER,
    error TEXT,
    request_id TEXT,
    first_byte REAL,
    first_content REAL,
    seconds REAL
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES('01940000-0000-7000-8000-000000000001-1','01940000-0000-7000-8000-000000000001',1,'released',1760000001.0,24000,'{"status":"estimated","reason":"We counted.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}]}',1760000005.0,'{"input_tokens":0,"cached_input_tokens":0,"output_tokens":0,"reasoning_tokens":0,"text_input_tokens":0,"image_input_tokens":0,"image_output_tokens":0,"audio_input_tokens":0,"audio_output_tokens":0,"images":0,"audio_seconds":0,"spoken_seconds":0,"unheard_seconds":0,"characters":0,"basis":"reported"}',0,'{"status":"free","reason":"Nothing ran."}',429,'RateLimited',NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('01940000-0000-7000-8000-000000000001-2','01940000-0000-7000-8000-000000000001',2,'settled_estimated',1760000002.0,24000,'{"status":"estimated","reason":"We counted.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}]}',1760000006.0,'{"input_tokens":10,"cached_input_tokens":null,"output_tokens":3,"reasoning_tokens":null,"text_input_tokens":null,"image_input_tokens":null,"image_output_tokens":null,"audio_input_tokens":null,"audio_output_tokens":null,"images":null,"audio_seconds":null,"spoken_seconds":null,"unheard_seconds":null,"characters":null,"basis":"estimated"}',24000,'{"status":"estimated","reason":"We counted.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}]}',200,'StreamTruncated','theirs',0.1,0.2,1.5);
INSERT INTO "attempts" VALUES('01940000-0000-7000-8000-000000000002-1','01940000-0000-7000-8000-000000000002',1,'reserved',1760000001.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('01940000-0000-7000-8000-000000000003-1','01940000-0000-7000-8000-000000000003',1,'unknown',1760000001.0,24000,'{"status":"estimated","reason":"We counted.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}]}',1760200009.0,'{"input_tokens":null,"cached_input_tokens":null,"output_tokens":null,"reasoning_tokens":null,"text_input_tokens":null,"image_input_tokens":null,"image_output_tokens":null,"audio_input_tokens":null,"audio_output_tokens":null,"images":null,"audio_seconds":null,"spoken_seconds":null,"unheard_seconds":null,"characters":null,"basis":"unknown"}',NULL,'{"status":"unknown","reason":"No price.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}],"known":"0.000024000"}',NULL,'TimedOut',NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('01940000-0000-7000-8000-000000000003-2','01940000-0000-7000-8000-000000000003',2,'sent',1760000002.0,24000,'{"status":"estimated","reason":"We counted.","lines":[{"meter":"output_tokens","quantity":3,"amount":"0.000024000","price":{"model":"M","meter":"output_tokens","amount":"8.00","per":1000000,"valid_from":"2026-01-01","source":"a list","checked":"2026-11-22","note":"with \"quotes\""}}]}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE operations (
    call_id TEXT PRIMARY KEY,
    modality TEXT NOT NULL,
    verb TEXT NOT NULL,
    model TEXT,
    deployment TEXT,
    surface TEXT NOT NULL,
    started_at REAL NOT NULL,
    tags TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "operations" VALUES('01940000-0000-7000-8000-000000000001','reasoning','create','MAI-Thinking-1','thinking','foundry',1760000000.0,'{"team": "søk"}');
INSERT INTO "operations" VALUES('01940000-0000-7000-8000-000000000002','reasoning','create',NULL,NULL,'foundry',1760100000.0,'{}');
INSERT INTO "operations" VALUES('01940000-0000-7000-8000-000000000003','reasoning','create','MAI-Thinking-1',NULL,'foundry',1760200000.0,'{"team": "søk"}');
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_call ON attempts (call_id);
COMMIT;
