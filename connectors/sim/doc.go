// Package sim is a simulated company: one seeded population with a hidden truth, a clock
// that only moves when told to, and the systems of eight departments that each hold their
// own view of it. It also has the connector "sim", which makes up rows for benchmarks
// and crash tests without any company.
//
// Everything is a function of the seed, the number of customers, the start and the
// company's time. No name, address or number is anybody's.
//
// # What a served company looks like
//
// Serve writes DIR/silos (files and the ERP's SQLite database) and DIR/truth, and listens
// on one address for all HTTP dialects. Credentials come from Company.Credentials.
//
//	crm      HubSpot-like. Authorization: Bearer CRMToken.
//	         GET  /crm/v3/objects/{contacts,companies,deals,tickets}?limit=&after=&properties=&archived=
//	              -> {"results":[{"id","properties":{..},"createdAt","updatedAt","archived"}],
//	                  "paging":{"next":{"after","link"}}}; limit <= 100, default 10.
//	         POST /crm/v3/objects/{type}/search  filter on lastmodifieddate (contacts) or
//	              hs_lastmodifieddate (the others); limit <= 200; 10,000 results a query.
//	         GET  /crm/v3/owners?limit=&after=
//	support  Zendesk-like. Basic SupportEmail/token:SupportToken.
//	         GET /api/v2/incremental/tickets/cursor?start_time=  (then ?cursor=)
//	         GET /api/v2/incremental/users/cursor?start_time=
//	              -> {"tickets":[..],"after_cursor","after_url","end_of_stream"}
//	social   Mastodon-like. Authorization: Bearer SocialToken.
//	         GET /api/v1/timelines/public?limit=&max_id=&min_id=&since_id=  (Link header)
//	         GET /api/v1/directory?limit=&offset=
//	surveys  Header X-Api-Key: SurveyKey.
//	         GET /surveys/v1/answers?limit=&offset=&updated_since=
//	              -> {"total","offset","limit","items":[..]}
//	         GET /surveys/v1/pages/answers?page=&per_page=&updated_since=
//	              -> {"page","pages","per_page","total","items":[..]}
//	ads      OAuth2 client credentials at POST /ads/oauth/token (AdsClientID, AdsClientSecret).
//	         GET /ads/v1/campaigns?page=&page_size=
//	         GET /ads/v1/spend?from=2026-01-05&to=2026-01-31&page=&page_size=  (to inclusive)
//	              -> {"data":[..],"page","page_size","total_pages","total"}
//	erp      DIR/silos/erp.sqlite, or WriteERP into PostgreSQL or MySQL: tables customers,
//	         orders, invoices, payments; key id; cursor write_date; rows are deleted for good.
//	web      DIR/silos/web/access-2026-01-05.log (older days .log.gz): nginx combined plus
//	         "$cookie_vid" "$request_id"; one file a day, appended to.
//	calls    DIR/silos/calls/cdr-csv/Master.csv (18 columns, no header) and
//	         DIR/silos/calls/queue_log; appended to; times are UTC. A call that was
//	         transferred has two records with one uniqueid. Numbers of Finland come in the
//	         national form at times, all others with + or 00.
//
// Logins stand in the access log as POST /account/login?customer=K-101234, orders as GET
// /checkout/thanks?order=O-200123, campaigns as GET /?utm_source=..&utm_campaign=CODE, and
// failed payments as POST /checkout/pay?value=12.34 with status 503.
//
// The names of columns are those of Expected. In the CRM every property but id, createdAt,
// updatedAt and archived is text inside properties. Customer numbers (K-101234) are
// customers.customer_no in the ERP, customer_number in CRM and surveys, external_id in
// the help desk, and the query of a login.
//
// In the help desk a ticket's topic is tags[0], its channel via.channel. In the network a
// post's account and tag are account.id and tags[0].name; ids are text there, and beyond
// 2^53. Of all times in the help desk only seconds are shown.
//
// # Truth
//
// truth.parquet has source, stream, record_key, person_id, household_id, account_id and
// pack: the names of the hard-negative packs of a record, joined by commas. Records of the
// pack unlinkable hold nothing that identifies anyone (withheld numbers, anonymous answers,
// browsers that never logged in). Keys of web.access are cookies; of calls.cdr and
// calls.queue_log call ids. truth_effects.json has the answers to the planted questions.
//
// The package does not read anything back, and it is no mock of any vendor: it has the
// shapes and habits that connectors must cope with, not the vendors' rules.
package sim
