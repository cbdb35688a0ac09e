import { z } from 'zod';
import {
  choice,
  choiceOrNumber,
  flag,
  keyDocs,
  optionalPath,
  path,
  pinList,
  section,
  urlPath,
  urlType,
  wholeNumber,
} from './keys.ts';
import { privacySection } from './privacySection.ts';

const AGENT_ID = '1 to 64 letters, digits, _ or -, such as edge_15550100001';
const HTTP_URL = 'an http(s) URL without user name, query and fragment, such as https://backend.example.com';
const WS_URL = 'a ws(s) URL without user name, query and fragment, such as wss://backend.example.com';
const PROXY_URL = 'an http(s) URL without user name, query and fragment, such as http://proxy.example.com:3128';
const HANDLE = 'a phone number in E.164 form or an e-mail address';
const HANDLE_FORM = /^(\+\d{7,15}|[^\s@]+@[^\s@]+)$/;
const SERVICE = 'the name of a Keychain item, such as edge-agent';

const agentId = z.string({ error: AGENT_ID }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: AGENT_ID });

/**
 * Everything config.yaml may say. The types, the checks, the defaults, config.yaml.example and the tables of
 * docs/CONFIGURATION.md all come from here.
 */
export const configSchema = section('The configuration of edge-agent.', {
  edge: section('Who this agent is, and where its secret is kept. The secret itself never stands in this file.', {
    agent_id: agentId.register(keyDocs, {
      doc: 'The id under which the backend knows this Mac.',
      expected: AGENT_ID,
      example: 'edge_15550100001',
    }),
    secret_file: optionalPath({
      doc: 'A file of mode 0600 that holds the secret. EDGE_SECRET in the environment goes before it.',
      example: 'secret',
    }),
    secret_keychain_service: z.string({ error: SERVICE }).min(1, { error: SERVICE }).optional().register(keyDocs, {
      doc: 'The service of a Keychain item that holds the secret; its account is edge.agent_id. Used when neither EDGE_SECRET nor edge.secret_file is set.',
      expected: SERVICE,
      example: 'edge-agent',
    }),
  }),
  backend: section('The backend that gets the messages and gives the commands.', {
    url: urlType(['http:', 'https:'], HTTP_URL).register(keyDocs, {
      doc: 'Where the backend is. /edge/message, /edge/sync and /edge/command/ack are appended.',
      expected: HTTP_URL,
      example: 'https://backend.example.com',
    }),
    websocket_url: urlType(['ws:', 'wss:'], WS_URL).optional().register(keyDocs, {
      doc: 'Where its WebSocket is, if elsewhere than backend.url. /edge/ws is appended unless it is there.',
      expected: WS_URL,
      example: 'wss://backend.example.com',
    }),
    sync_interval_seconds: wholeNumber({
      doc: 'How often commands are fetched by HTTP while the WebSocket is down.',
      min: 1,
      max: 3600,
      default: 30,
      unit: 'seconds',
    }),
    request_timeout_seconds: wholeNumber({
      doc: 'How long one request may take; an answer that a model writes may need a minute.',
      min: 1,
      max: 600,
      default: 60,
      unit: 'seconds',
    }),
    max_in_flight_per_thread: wholeNumber({
      doc: 'How many messages of one thread may wait for their answers at once. They start in order; 1 also ends them in order.',
      min: 1,
      max: 32,
      default: 4,
    }),
    max_concurrent_requests: wholeNumber({
      doc: 'How many messages of all threads may wait for their answers at once.',
      min: 1,
      max: 256,
      default: 32,
    }),
    proxy_url: urlType(['http:', 'https:'], PROXY_URL).optional().register(keyDocs, {
      doc: 'The proxy that connects to the backend (CONNECT). Where it wants a password, set HTTPS_PROXY in the environment instead. Without this key HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide.',
      expected: PROXY_URL,
      example: 'http://proxy.example.com:3128',
    }),
    ca_file: optionalPath({
      doc: 'A PEM file of authorities that are trusted beside those of Node: for a backend, or a proxy, with an authority of its own.',
      example: 'ca.pem',
    }),
    pin_sha256: pinList({
      doc: 'SHA-256 of public keys, base64; the backend must have one of them, beside a valid certificate. Keep a second one for the day the key changes. Empty: any key.',
    }),
    allow_insecure: flag({
      doc: 'Allows http: and ws: to other hosts than this one. The secret and every message then cross the network in the clear.',
      default: false,
    }),
  }),
  websocket: section('The socket over which commands come at once.', {
    enabled: flag({ doc: 'Off: commands come by polling only.', default: true }),
    ping_interval_seconds: wholeNumber({
      doc: 'How often the socket is proven to be alive.',
      min: 1,
      max: 300,
      default: 30,
      unit: 'seconds',
    }),
  }),
  imessage: section('Where Messages keeps its data. It is only ever read, but for attachments.staging_dir.', {
    db_path: path({ doc: 'The database of Messages.', default: '~/Library/Messages/chat.db' }),
    attachments_path: path({
      doc: 'The folder of its attachments; only files in it are uploaded.',
      default: '~/Library/Messages/Attachments',
    }),
    attachment_wait_seconds: wholeNumber({
      doc: 'How long a message waits for its attachments to be downloaded; then it goes, and what is missing is marked pending. 0 waits for none.',
      min: 0,
      max: 600,
      default: 15,
      unit: 'seconds',
    }),
  }),
  sending: section('How bubbles are handed to Messages.', {
    osascript_path: path({ doc: 'The program that runs AppleScript.', default: '/usr/bin/osascript' }),
    script_timeout_seconds: wholeNumber({
      doc: 'How long one AppleScript may run before it is ended; chat.db then tells whether the bubble went out.',
      min: 1,
      max: 300,
      default: 30,
      unit: 'seconds',
    }),
    settle_seconds: wholeNumber({
      doc: 'The settle time: how long the row in chat.db that proves a bubble may take to appear. Keep it above sending.script_timeout_seconds, so that an osascript that outlives a crash is over by then.',
      min: 1,
      max: 600,
      default: 60,
      unit: 'seconds',
    }),
    on_missing_receipt: choice({
      doc: 'What follows when the settle time is over without that row. retry: one more attempt, and only then unknown; report: unknown at once.',
      values: ['retry', 'report'],
      default: 'retry',
    }),
    sms_fallback: flag({
      doc: 'A bubble that a person cannot get as iMessage (error 22) goes once more, as SMS.',
      default: false,
    }),
    bubble_pause: choiceOrNumber({
      doc: 'How long to wait before each further bubble of an answer. natural: by its length, as if somebody typed it; a number: always so many ms.',
      values: ['none', 'natural'],
      min: 1,
      max: 60_000,
      unit: 'ms',
      default: 'none',
    }),
    max_bubble_chars: wholeNumber({
      doc: 'A longer text goes out as several bubbles, parted where a sentence or a word ends.',
      min: 50,
      max: 20_000,
      default: 10_000,
      unit: 'characters',
    }),
    allow_new_threads: flag({
      doc: 'Off: nobody is written to who has no conversation in Messages yet.',
      default: true,
    }),
    rate: section('What guards the Apple ID: more bubbles wait, and are never dropped. 0 is no limit.', {
      per_minute: wholeNumber({
        doc: 'Bubbles a minute, over all threads.',
        min: 0,
        max: 10_000,
        default: 60,
      }),
      per_hour: wholeNumber({ doc: 'Bubbles an hour, over all threads.', min: 0, max: 100_000, default: 1000 }),
      new_threads_per_day: wholeNumber({
        doc: 'Threads a day in which the first bubble is ours.',
        min: 0,
        max: 10_000,
        default: 50,
      }),
    }),
  }),
  attachments: section('Files, in both directions. docs/ATTACHMENTS.md says how they travel.', {
    upload: choice({
      doc: 'Which files of messages that come in the backend gets.',
      values: ['off', 'images', 'all'],
      default: 'off',
    }),
    upload_path: urlPath({
      doc: 'Where at backend.url they are posted.',
      default: '/photo/upload',
    }),
    upload_wait_seconds: wholeNumber({
      doc: 'How long a message waits for its files to be uploaded; then it goes without, and they follow. 0 waits for none.',
      min: 0,
      max: 600,
      default: 15,
      unit: 'seconds',
    }),
    max_upload_bytes: wholeNumber({
      doc: 'A larger file is not uploaded; the backend still gets its name and size.',
      min: 1,
      max: 2_147_483_648,
      default: 104_857_600,
      unit: 'bytes',
    }),
    max_send_bytes: wholeNumber({
      doc: 'A send_attachment with a larger file is refused.',
      min: 1,
      max: 2_147_483_648,
      default: 104_857_600,
      unit: 'bytes',
    }),
    staging_dir: path({
      doc: 'Where files to be sent are put. Messages must be allowed to read there, which it is in its own folders.',
      default: '~/Library/Messages/Attachments/edge-agent',
    }),
  }),
  scheduler: section('Messages to be sent at a time.', {
    max_late_seconds: wholeNumber({
      doc: 'A scheduled message that could not be sent for longer than this (the Mac was off) is not sent any more, and reported as expired.',
      min: 0,
      max: 2_592_000,
      default: 3600,
      unit: 'seconds',
    }),
  }),
  watchdog: section('What is done when Messages itself no longer works.', {
    restart_messages: flag({
      doc: 'Quit and reopen Messages when it twice does not answer and no bubble is under way; at most once in half an hour.',
      default: true,
    }),
    silence_hours: wholeNumber({
      doc: 'After so long without any message wake_handle gets one, which makes Messages fetch what it missed. 0 is never.',
      min: 0,
      max: 720,
      default: 0,
      unit: 'hours',
    }),
    wake_handle: z.string({ error: HANDLE }).regex(HANDLE_FORM, { error: HANDLE }).optional().register(keyDocs, {
      doc: 'The address of this Mac itself, to which that message goes.',
      expected: HANDLE,
      example: '+15550100001',
    }),
  }),
  relay: section('What becomes of messages and answers.', {
    answer_max_age_seconds: wholeNumber({
      doc: 'A message that is older than this when it is first seen goes to the backend as backfill and is not answered.',
      min: 60,
      max: 2_592_000,
      default: 21_600,
      unit: 'seconds',
    }),
    loop_guard_answers: wholeNumber({
      doc: 'Automatic answers that a thread may get within relay.loop_guard_window_seconds. With more, two programs are taken to talk to each other, and the thread gets none for as long again.',
      min: 1,
      max: 10_000,
      default: 60,
    }),
    loop_guard_window_seconds: wholeNumber({
      doc: 'The time over which automatic answers are counted, and for which a thread that got too many is muted.',
      min: 1,
      max: 86_400,
      default: 600,
      unit: 'seconds',
    }),
  }),
  logging: section('The log. Texts and whole handles appear in it at level debug only.', {
    level: choice({
      doc: 'The least level that is written.',
      values: ['debug', 'info', 'warn', 'error'],
      default: 'info',
    }),
    file: path({ doc: 'The file.', default: '~/Library/Logs/edge-agent/edge-agent.log' }),
    format: choice({
      doc: 'text: a line an entry, for people and grep; json: an object a line.',
      values: ['text', 'json'],
      default: 'text',
    }),
    max_bytes: wholeNumber({
      doc: 'The size at which a new file is begun.',
      min: 4096,
      max: 1_073_741_824,
      default: 10_485_760,
      unit: 'bytes',
    }),
    max_files: wholeNumber({
      doc: 'How many files are kept, the one being written included.',
      min: 1,
      max: 100,
      default: 5,
    }),
  }),
  state: section('The memory of the agent: what it has seen, sent and promised.', {
    dir: path({
      doc: 'The folder of state.db, the instance lock and the control socket. Only one agent may use it.',
      default: '~/Library/Application Support/edge-agent',
    }),
  }),
  privacy: privacySection,
  monitoring: section('Figures for a monitoring system on this machine.', {
    port: wholeNumber({
      doc: 'Serves GET /health, /live, /ready and /metrics at this port of 127.0.0.1; 0 serves nothing.',
      unit: 'a port of 127.0.0.1, the only address it is ever served at',
      min: 0,
      max: 65_535,
      default: 0,
    }),
  }),
});

/** The configuration, checked, with defaults and absolute paths. */
export type Config = z.output<typeof configSchema>;
