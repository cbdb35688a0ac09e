export const GOOD = 'edge:\n  agent_id: edge_15550100001\nbackend:\n  url: https://backend.example.com\n';
/** GOOD has four lines; what is appended starts at line 5. */
export const and = (more: string) => GOOD + more;
const ONLY_LOOPBACK = '(a port of 127.0.0.1, the only address it is ever served at)';

/** Files that must be refused, each with what is told of it: `line:column  key: …`, from the start of the place on. */
export const BROKEN: [name: string, text: string | Buffer, problems: (string | RegExp)[]][] = [
  ['an empty file', '', ['1:1  is empty, expected sections such as edge: and backend:']],
  ['a file of comments', '# later\n', ['1:1  is empty, expected sections such as edge: and backend:']],
  ['a file that says null', 'null\n', [/^1:1 {2}is empty/]],
  ['a list', '- edge\n', ['1:1  holds no keys, expected sections such as edge: and backend:']],
  ['a word', 'edge\n', [/^1:1 {2}holds no keys/]],
  ['JSON cut short', '{"edge": {\n', [/^\d:\d+ {2}not valid YAML/, /^\d:\d+ {2}not valid YAML/]],
  ['an open quote', 'edge:\n  agent_id: "edge\n', [/^\d:\d+ {2}not valid YAML: Missing closing "quote/]],
  ['a tab', 'edge:\n\tagent_id: x\n', ['2:1  is indented with a tab, expected spaces']],
  ['a reserved character', and('state:\n  dir: @home\n'), [/^6:8 {2}not valid YAML/]],
  ['a colon too many', 'edge: agent_id: x\n', [/^1:\d+ {2}not valid YAML/]],
  ['two documents', `${GOOD}---\n${GOOD}`, [/^5:1 {2}not valid YAML: Source contains multiple documents/]],
  ['a missing anchor', and('state:\n  dir: *home\n'), ['6:8  an alias (*name) without an anchor (&name) before it']],
  ['lists within lists', `${'- '.repeat(30)}x\n`, ['1:41  is nested more than 20 levels deep, expected fewer']],
  [
    'an open list within open lists',
    `x: ${'['.repeat(30_000)}`,
    ['1:1  is nested more than 20 levels deep, expected fewer'],
  ],
  [
    'aliases without end',
    `a: &a 1\n${Array.from({ length: 30 }, (_, n) => `b${n}: *a\n`).join('')}`,
    [/^22:\d+ {2}uses aliases more than 20 times/],
  ],
  [
    'an alias bomb',
    `a: &a [x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\n${GOOD}`,
    ['1:1  uses aliases more than 20 times, expected fewer'],
  ],
  ['bytes that are no UTF-8', Buffer.from([0x65, 0x3a, 0xff]), ['  is not UTF-8 text; save it as UTF-8']],
  ['a huge file', `#${'x'.repeat(300_000)}`, [/^ {2}has 300001 bytes, expected at most 262144/]],
  [
    'a key twice',
    and('backend:\n  url: https://other.example.com\n'),
    ['5:1  not valid YAML: Map keys must be unique'],
  ],
  [
    'a section as a word',
    'edge: yes\n' + 'backend:\n  url: https://b.example.com\n',
    [/^1:7 {2}edge: value was "yes", expected a section/],
  ],
  ['a section as a list', and('logging:\n  - level\n'), [/^5:1 {2}logging: value was a list, expected a section/]],
  ['an unknown section', and('log:\n  level: info\n'), [/^5:1 {2}log: is not a known key/]],
  ['a misspelt section', and('loging:\n  level: info\n'), ['5:1  loging: is not a known key; did you mean logging?']],
  [
    'a misspelt key',
    'edge:\n  agent-id: edge_1\nbackend:\n  url: https://b.example.com\n',
    [
      /^1:1 {2}edge.agent_id: is missing, expected 1 to 64 letters/,
      '2:3  edge.agent-id: is not a known key; did you mean edge.agent_id?',
    ],
  ],
  [
    'a key in the wrong place',
    and('db_path: /x\n'),
    ['5:1  db_path: is not a known key; did you mean imessage.db_path?'],
  ],
  ['an unknown key with no value', and('wat:\n'), ['5:1  wat: is not a known key (docs/CONFIGURATION.md lists them)']],
  [
    'an unknown nested key',
    and('privacy:\n  threads:\n    denied: []\n'),
    ['7:5  privacy.threads.denied: is not a known key; did you mean privacy.threads.deny?'],
  ],
  ['a merge key', and('logging:\n  <<: {level: info}\n'), [/^6:3 {2}logging.<<: is not a known key/]],
  ['__proto__', and('__proto__:\n  level: info\n'), [/^5:1 {2}__proto__: is not a known key/]],
  [
    'a secret',
    and('').replace('edge:\n', 'edge:\n  secret: canary-1\n'),
    [/^2:3 {2}edge.secret: is a secret by its name.*EDGE_SECRET.*0600/],
  ],
  ['a token elsewhere', and('api_token: canary-2\n'), [/^5:1 {2}api_token: is a secret by its name/]],
  ['a password like a block', and('edge_password: |canary-3\n'), [/^5:17 {2}not valid YAML: Block scalar header/]],
  ['a password like a tag', and('edge_password: !x!canary-4 y\n'), [/^5:16 {2}not valid YAML: Could not resolve tag/]],
  ['a password like a list', and('edge_password: ]canary-5\n'), [/^5:16 {2}not valid YAML/, /^5:17 {2}not valid YAML/]],
  ['no agent id', 'backend:\n  url: https://b.example.com\n', [/^1:1 {2}edge.agent_id: is missing/]],
  [
    'a null agent id',
    'edge:\n  agent_id:\nbackend:\n  url: https://b.example.com\n',
    [/^2:3 {2}edge.agent_id: is missing/],
  ],
  [
    'an agent id with a space',
    GOOD.replace('edge_15550100001', 'my mac'),
    [/^2:13 {2}edge.agent_id: value was "my mac", expected 1 to 64/],
  ],
  [
    'an agent id as a number',
    GOOD.replace('edge_15550100001', '15550100001'),
    [/^2:13 {2}edge.agent_id: value was 15550100001, expected/],
  ],
  ['no URL', 'edge:\n  agent_id: a\n', [/^1:1 {2}backend.url: is missing, expected an http/]],
  [
    'a URL without a scheme',
    GOOD.replace('https://', ''),
    [/^4:8 {2}backend.url: value was "backend.example.com", expected an http/],
  ],
  ['a URL with an empty query', GOOD.replace('.com', '.com?'), [/^4:8 {2}backend.url: value was/]],
  ['a URL with an empty fragment', GOOD.replace('.com', '.com#'), [/^4:8 {2}backend.url: value was/]],
  ['a URL with spaces around it', GOOD.replace(/https.*com/, '" $& "'), [/^4:8 {2}backend.url: value was/]],
  [
    'a password with a slash in a URL',
    GOOD.replace('backend.e', 'user:canary/x@backend.e'),
    [/^4:8 {2}backend.url: value was "https:…@backend(?!.*canary)/],
  ],
  ['a token in a URL', GOOD.replace('.com', '.com/?t=canary'), [/^4:8 {2}backend.url: value was(?!.*canary)/]],
  ['NUL in a path', and('state:\n  dir: "a\\0b"\n'), [/^6:8 {2}state.dir: value was .*a path without control/]],
  ['two lines in a path', and('state:\n  dir: "a\\nb"\n'), [/^6:8 {2}state.dir: value was .*a path without control/]],
  ['a URL of another scheme', GOOD.replace('https', 'ftp'), [/^4:8 {2}backend.url: value was "ftp:/]],
  [
    'a URL with a password',
    GOOD.replace('://', '://me:canary-3@'),
    [/^4:8 {2}backend.url: value was "https:…@backend/],
  ],
  [
    'http to another host',
    GOOD.replace('https', 'http'),
    [/^4:8 {2}backend.url: value was "http:.*expected https:.*allow_insecure/],
  ],
  [
    'ws to another host',
    and('').replace('backend:\n', 'backend:\n  websocket_url: ws://h.example.com\n'),
    [/^4:18 {2}backend.websocket_url: .*expected wss:/],
  ],
  [
    'a word for a number',
    and('sending:\n  settle_seconds: soon\n'),
    ['6:19  sending.settle_seconds: value was "soon", expected a whole number from 1 to 600 (seconds)'],
  ],
  [
    'a number in quotes',
    and('monitoring:\n  port: "9090"\n'),
    [`6:9  monitoring.port: value was "9090", expected a whole number from 0 to 65535 ${ONLY_LOOPBACK}`],
  ],
  [
    'an address to be served beyond this Mac',
    and('monitoring:\n  port: 0.0.0.0:9090\n'),
    [`6:9  monitoring.port: value was "0.0.0.0:9090", expected a whole number from 0 to 65535 ${ONLY_LOOPBACK}`],
  ],
  ['a number with its unit', and('sending:\n  settle_seconds: 60s\n'), [/value was "60s", expected a whole number/]],
  ['a fraction', and('sending:\n  settle_seconds: 0.5\n'), [/value was 0.5, expected a whole number/]],
  [
    'a number out of range',
    and('monitoring:\n  port: 70000\n'),
    [/^6:9 .*value was 70000, expected a whole number from 0 to 65535/],
  ],
  ['infinity', and('logging:\n  max_files: .inf\n'), [/value was Infinity, expected a whole number from 1 to 100/]],
  [
    'yes for true',
    and('websocket:\n  enabled: yes\n'),
    ['6:12  websocket.enabled: value was "yes", expected true or false'],
  ],
  [
    'a level that is none',
    and('logging:\n  level: trace\n'),
    ['6:10  logging.level: value was "trace", expected one of debug, info, warn, error'],
  ],
  ['a path that is empty', and('state:\n  dir: ""\n'), ['6:8  state.dir: value was "", expected a path']],
  [
    'a word for a list',
    and('privacy:\n  redact: iban\n'),
    [/^6:11 {2}privacy.redact: value was "iban", expected a list with any of payment_card/],
  ],
  [
    'a detector that is none',
    and('privacy:\n  redact: [iban, name]\n'),
    [/^6:18 {2}privacy.redact.1: value was "name", expected one of payment_card/],
  ],
  [
    'a pattern that is none',
    and("privacy:\n  redact:\n    - iban\n    - name: staff\n      pattern: 'E-(\\d+'\n"),
    ['9:16  privacy.redact.1.pattern: value was "E-(\\\\d+", expected a pattern in RE2 syntax (missing closing ))'],
  ],
  [
    'a pattern that only other programs understand',
    and("privacy:\n  drop:\n    - { name: x, pattern: '(?<=a)b' }\n"),
    [
      /^7:27 {2}privacy.drop.0.pattern: value was "\(\?<=a\)b", expected a pattern in RE2 syntax, which has no look-around/,
    ],
  ],
  [
    'a pattern with a back-reference',
    and("privacy:\n  drop:\n    - { name: x, pattern: '(a)\\1' }\n"),
    [/^7:27 {2}privacy.drop.0.pattern: .*which has no back-references/],
  ],
  [
    'a pattern in which YAML has made a backspace of \\b',
    and('privacy:\n  redact: [{ name: x, pattern: "\\bfoo" }]\n'),
    [/^6:32 {2}privacy.redact.0.pattern: .*expected a pattern in single quotes/],
  ],
  [
    'an escape that YAML does not have',
    and('privacy:\n  redact: [{ name: x, pattern: "E-\\d" }]\n'),
    [/^6:35 {2}not valid YAML: .*; in single quotes a \\ stays as it is/],
  ],
  [
    'a detector, a kind of sender and keys of an entry that are misspelt',
    and('privacy:\n  redact: [payment_crad, { name: x, patern: y }]\n  drop: [{ name: y, from: short-code }]\n'),
    [
      /^6:12 {2}privacy.redact.0: .*; did you mean payment_card\?$/,
      /^6:26 {2}privacy.redact.1.pattern: is missing/,
      /^6:37 {2}privacy.redact.1.patern: is not a known key; did you mean pattern\?$/,
      /^7:27 {2}privacy.drop.0.from: .*; did you mean short_code\?$/,
    ],
  ],
  [
    'a wildcard, which would match nobody',
    and('privacy:\n  threads:\n    deny: ["*@example.com"]\n'),
    [/^7:12 {2}privacy.threads.deny.0: .*expected each handle or thread id in full/],
  ],
  [
    'the beginning of a key',
    and('imessage:\n  attachment_wait: 5\n'),
    ['6:3  imessage.attachment_wait: is not a known key; did you mean imessage.attachment_wait_seconds?'],
  ],
  [
    'a pattern that matches nothing at all',
    and("privacy:\n  redact: [{ name: x, pattern: 'a*' }]\n"),
    [/^6:32 {2}privacy.redact.0.pattern: .*expected a pattern that does not match the empty text/],
  ],
  [
    'a pattern that takes too long',
    and("privacy:\n  redact: [{ name: x, pattern: '(x{1,30}){1,30}y' }]\n"),
    [/^6:32 {2}privacy.redact.0.pattern: value was .*, expected less: with it the patterns together take too long/],
  ],
  [
    'patterns that take too long together',
    and("privacy:\n  redact: [{ name: x, pattern: '.{500}' }]\n  drop: [{ name: x, pattern: 'a{500}' }]\n"),
    [/^7:30 {2}privacy.drop.0.pattern: value was .*, expected less/],
  ],
  [
    'names that are taken',
    and('privacy:\n  redact: [{ name: iban, pattern: x }, { name: y, pattern: y }, { name: y, pattern: z }]\n'),
    [/^6:20 {2}privacy.redact.0.name: value was "iban", expected a name that no detector has/],
  ],
  [
    'a name twice',
    and('privacy:\n  drop: [{ name: y, pattern: y }, { name: y, pattern: z }]\n'),
    [/^6:43 {2}privacy.drop.1.name: value was "y", expected a name of its own/],
  ],
  [
    'a name with capitals',
    and('privacy:\n  redact: [{ name: Staff, pattern: x }]\n'),
    [/^6:20 {2}privacy.redact.0.name: value was "Staff", expected 1 to 40 small letters, digits or _/],
  ],
  [
    'a rule without a condition',
    and('privacy:\n  drop:\n    - name: all\n'),
    [/^7:7 {2}privacy.drop.0: value was a section, expected at least one of pattern, from, service, thread/],
  ],
  [
    'a rule with a condition that is none',
    and('privacy:\n  drop:\n    - { name: x, form: email }\n'),
    [/^7:7 {2}privacy.drop.0: value was a section/, /^7:18 {2}privacy.drop.0.form: is not a known key/],
  ],
  [
    'a service that is none',
    and('privacy:\n  threads:\n    allow: ["service:fax"]\n  drop: [{ name: x, service: fax }]\n'),
    [
      /^7:13 {2}privacy.threads.allow.0: value was "service:fax", expected service:iMessage, service:SMS or/,
      /^8:30 {2}privacy.drop.0.service: value was "fax", expected one of iMessage, SMS, RCS/,
    ],
  ],
  [
    'a handle without quotes',
    and('privacy:\n  threads:\n    deny: [+15550100002]\n'),
    [/^7:12 {2}privacy.threads.deny.0: value was 15550100002, expected a text in quotes/],
  ],
  [
    'a pause of no length',
    and('sending:\n  bubble_pause: 0\n'),
    ['6:17  sending.bubble_pause: value was 0, expected one of none, natural, or a whole number from 1 to 60000 (ms)'],
  ],
  [
    'hours of silence with nobody to write to',
    and('watchdog:\n  silence_hours: 5\n'),
    ['6:18  watchdog.silence_hours: value was 5, expected 0 or watchdog.wake_handle beside it'],
  ],
  [
    'a wake_handle that is a name',
    and('watchdog:\n  silence_hours: 5\n  wake_handle: Anna\n'),
    ['7:16  watchdog.wake_handle: value was "Anna", expected a phone number in E.164 form or an e-mail address'],
  ],
  [
    'many problems at once, in the order of the file',
    'backend:\n  url: x\n  sync_interval_seconds: 0\nlogging:\n  level: loud\n  colour: true\n',
    [
      /^1:1 {2}edge.agent_id: is missing/,
      /^2:8 {2}backend.url/,
      /^3:26 {2}backend.sync/,
      /^5:10 {2}logging.level/,
      /^6:3 {2}logging.colour/,
    ],
  ],
];
