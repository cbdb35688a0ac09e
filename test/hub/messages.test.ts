import { describe, expect, it } from 'vitest';
import type { Answer, IncomingMessage, Reply } from '../../src/hub/responders/Responder.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, identity, message, SECRET, startHub } from './testHub.ts';

/** A responder that counts, and holds each answer until it is let go. */
function heldResponder() {
  const asked: IncomingMessage[] = [];
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const respond = async (incoming: IncomingMessage, reply: Reply): Promise<Answer> => {
    asked.push(incoming);
    await Promise.race([gate, new Promise((resolve) => reply.signal.addEventListener('abort', resolve))]);
    reply.signal.throwIfAborted();
    return { should_respond: true, bubbles: [`answer ${asked.length}`] };
  };
  return { asked, go: () => go(), responder: { respond } };
}

describe('POST /edge/message', () => {
  it('is answered by the echo', async () => {
    const { post, hub } = await startHub();
    const body = message('“quotes” \\ \u2028 👋');
    const { status, json } = await post('/edge/message', body);
    expect(status).toBe(200);
    expect(json).toEqual({ should_respond: true, reply_bubbles: ['“quotes” \\ \u2028 👋'] });
    const stored = await hub.store.message(AGENT, String(body.message_guid));
    expect(stored).toMatchObject({ threadId: '+15550100002', backfill: false, body });
  });

  it('takes the older form of the body, and a body without a guid', async () => {
    const { post } = await startHub();
    const old = await post('/edge/message', {
      chat_guid: 'iMessage;-;+15550100002',
      mode: 'x',
      text: 'hi',
      participants: ['a'],
    });
    expect(old.json.reply_bubbles).toEqual(['hi']);
    const bare = { thread_id: 't', sender: 's', filtered_text: 'again', text: 'other' };
    expect((await post('/edge/message', bare)).json.reply_bubbles).toEqual(['again']);
  });

  it('gives the same answer to a repeated key, and asks the responder once', async () => {
    const held = heldResponder();
    const { post } = await startHub({ responder: held.responder });
    held.go();
    const body = message('hi');
    const first = await post('/edge/message', body);
    const second = await post('/edge/message', body, { 'Idempotency-Key': String(body.message_guid) });
    expect(second.text).toBe(first.text);
    expect(held.asked).toHaveLength(1);
  });

  it('lets a repeated key wait for the answer that is being worked out', async () => {
    const held = heldResponder();
    const arrivals: unknown[] = [];
    const { post } = await startHub({
      responder: held.responder,
      observe: { messageReceived: (info) => arrivals.push(info) },
    });
    const body = message('hi');
    const both = Promise.all([post('/edge/message', body), post('/edge/message', body)]);
    await waitFor('both to arrive', () => arrivals.length === 2);
    held.go();
    const [first, second] = await both;
    expect(first.text).toBe(second.text);
    expect(held.asked).toHaveLength(1);
  });

  it('keeps keys of different agents apart', async () => {
    const { post } = await startHub();
    const body = message('mine');
    await post('/edge/message', body);
    const other = await post('/edge/message', { ...body, filtered_text: 'theirs' }, identity('edge_15550100002'));
    expect(other.json.reply_bubbles).toEqual(['theirs']);
  });

  it('goes on with an answer whose asker hung up, and gives it to the next', async () => {
    const held = heldResponder();
    const { hub, post } = await startHub({ responder: held.responder });
    const body = message('hi');
    const hangUp = new AbortController();
    const headers = { ...identity(AGENT), 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal: hangUp.signal };
    const lost = fetch(`${hub.url}/edge/message`, init).catch(() => 'lost');
    await waitFor('the responder', () => held.asked.length === 1);
    hangUp.abort();
    expect(await lost).toBe('lost');
    held.go();
    expect((await post('/edge/message', body)).json.reply_bubbles).toEqual(['answer 1']);
    expect(held.asked).toHaveLength(1);
  });

  it('records backfill and does not answer it', async () => {
    const held = heldResponder();
    held.go();
    const { post, hub } = await startHub({ responder: held.responder });
    const body = message('old news', { backfill: true });
    expect((await post('/edge/message', body)).json).toEqual({ should_respond: false });
    expect(held.asked).toEqual([]);
    expect((await hub.store.messages(AGENT)).map(({ backfill }) => backfill)).toEqual([true]);
  });

  it('answers 500 when the responder fails, and asks it again when the key comes again', async () => {
    let times = 0;
    const respond = async () => {
      if (++times === 1) throw new Error('not today');
      return { should_respond: true, bubbles: ['now'] };
    };
    const { post } = await startHub({ responder: { respond } });
    const body = message('hi');
    expect(await post('/edge/message', body)).toMatchObject({ status: 500, json: { error: 'internal error' } });
    expect((await post('/edge/message', body)).json.reply_bubbles).toEqual(['now']);
  });

  it('says nothing where the answer would be larger than an agent reads', async () => {
    const respond = async () => ({ should_respond: true, bubbles: ['x'.repeat(600_000), 'y'.repeat(600_000)] });
    const { post } = await startHub({ responder: { respond } });
    expect((await post('/edge/message', message('hi'))).json).toEqual({ should_respond: false });
  });

  it('pushes nothing that is larger than an agent reads, as a reflex or on a schedule', async () => {
    const large = 'x'.repeat(1024 * 1024);
    const respond = async (incoming: IncomingMessage, reply: Reply): Promise<Answer> => {
      if (incoming.text === 'reflex') expect(await reply.reflex(large)).toBe('none');
      return { should_respond: true, bubbles: [], schedule: [{ in_ms: 0, text: large }] };
    };
    const { post, connect } = await startHub({ responder: { respond } });
    const socket = await connect();
    for (const text of ['reflex', 'schedule']) {
      expect((await post('/edge/message', message(text))).json).toEqual({ should_respond: false });
    }
    await socket.roundTrip();
    expect(socket.commands).toEqual([]);
  });

  it.each([
    ['no thread', { thread_id: undefined }, 'thread_id'],
    ['a thread that is a number', { thread_id: 7 }, 'thread_id'],
    ['no text', { filtered_text: undefined }, 'filtered_text'],
    ['participants that are no list', { participants: 'all' }, 'participants'],
    ['a guid without end', { message_guid: 'x'.repeat(5_000) }, 'message_guid'],
    ['backfill in words', { backfill: 'yes' }, 'backfill'],
  ])('names the field of a body with %s', async (_what, fields, field) => {
    const { post } = await startHub();
    const { status, json } = await post('/edge/message', message('hi', fields));
    expect(status).toBe(400);
    expect(json.error).toMatch(new RegExp(`^${field}: `));
  });

  it.each([
    ['bad JSON', '{"thread_id":', 400],
    ['an empty body', '', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['a poisoned prototype', '{"thread_id":"t","sender":"s","filtered_text":"x","__proto__":{"a":1}}', 400],
    ['2 MiB', JSON.stringify({ filtered_text: 'x'.repeat(2 * 1024 * 1024) }), 413],
  ])('refuses %s', async (_what, body, status) => {
    const { post } = await startHub();
    const answer = await post('/edge/message', body);
    expect(answer.status).toBe(status);
    expect(typeof answer.json.error).toBe('string');
    expect((await post('/edge/message', message('still here'))).status).toBe(200);
  });

  it('refuses an Idempotency-Key that is not the guid', async () => {
    const { post } = await startHub();
    const { status, json } = await post('/edge/message', message('hi'), { 'Idempotency-Key': 'another' });
    expect([status, json.error]).toEqual([400, 'message_guid: it differs from the Idempotency-Key header']);
  });

  it.each([
    ['no credentials', {}, 401],
    ['a wrong secret', identity(AGENT, 'wrong'), 403],
    ['no agent id', { Authorization: `Bearer ${SECRET}` }, 403],
    ['an unregistered agent', identity('edge_15550100077'), 403],
  ])('refuses %s before it reads the body', async (_what, headers, status) => {
    const { hub } = await startHub({ agents: [AGENT] });
    const init = { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: '{' };
    for (const path of ['/edge/message', '/edge/sync', '/edge/command/ack', '/edge/ack_command']) {
      expect((await fetch(hub.url + path, init as RequestInit)).status).toBe(status);
    }
  });

  it('limits messages per agent with 429 and Retry-After', async () => {
    const { post, hub } = await startHub({ limits: { messages: 1 } });
    await post('/edge/message', message('one'));
    const init = { method: 'POST', headers: { ...identity(AGENT), 'Content-Type': 'application/json' }, body: '{}' };
    const second = await fetch(`${hub.url}/edge/message`, init);
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post('/edge/message', message('other'), identity('edge_15550100002'))).status).toBe(200);
  });

  it('answers 500 messages at once, each once', async () => {
    const { post } = await startHub();
    const texts = Array.from({ length: 500 }, (_, i) => `text ${i}`);
    const answers = await Promise.all(texts.map((text) => post('/edge/message', message(text))));
    expect(answers.map(({ json }) => json.reply_bubbles[0])).toEqual(texts);
  });

  it('names an endpoint that does not exist, and asks for an upgrade on the socket one', async () => {
    const { post, hub } = await startHub();
    expect(await post('/edge/nothing?secret=1', {})).toMatchObject({
      status: 404,
      json: { error: 'Endpoint not found: /edge/nothing' },
    });
    expect((await fetch(`${hub.url}/edge/ws`)).status).toBe(426);
  });
});
