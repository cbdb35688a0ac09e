import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PrivacySettings } from '../../src/relay/privacy.ts';
import { encodeText } from '../chatdb/support/typedstreamEncoder.ts';
import { ANNA, GROUP, hostileRig } from './hostileRig.ts';

const CANARY = 'canary-7c1f';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const KEY = 'sk-abcdefghijklmnopqrstuvwx0123';
const SECRETS = [CANARY, 'DE89', '0532 0130', 'abcdefghijklmnop'];
const WORDS = `${CANARY} ${IBAN} ${KEY}`;
const LATER = 788_918_401_000_000_000n;

/** One row of every kind with the words in every place that holds words. */
async function everyKind(settings: Partial<PrivacySettings>) {
  const rig = hostileRig(settings);
  const { group } = rig.chats;
  const words = { text: WORDS, attributedBody: encodeText(WORDS), subject: WORDS };
  const first = rig.message('first', words);
  rig.message('own', { ...words, is_from_me: 1 });
  rig.message('grouped', words, group);
  const file = rig.message('file', words);
  rig.file.attachment(file, 'at', { transfer_name: `${WORDS}.jpg`, filename: `~/${CANARY}/${WORDS}.jpg` });
  const slow = rig.message('slow', words);
  rig.file.attachment(slow, 'at_slow', { transfer_name: `${WORDS}.jpg`, transfer_state: 0 });
  const target = { associated_message_guid: 'p:0/first' };
  rig.message('tap', { ...words, ...target, associated_message_type: 2000, date: LATER });
  rig.message('emoji', {
    ...words,
    ...target,
    associated_message_type: 2006,
    associated_message_emoji: WORDS,
    date: LATER,
  });
  rig.message('named', { ...words, item_type: 2, group_title: WORDS, date: LATER }, group);
  rig.message('damaged', { ...words, attributedBody: Buffer.concat([encodeText(WORDS).subarray(0, 40)]), date: LATER });
  rig.message('loved', { text: `Loved “${WORDS}”`, attributedBody: encodeText(`Loved “${WORDS}”`), date: LATER });
  await rig.settle();
  const again = encodeText(`${WORDS} again`);
  rig.file.db
    .prepare('UPDATE message SET attributedBody = ?, date_edited = ? WHERE ROWID = ?')
    .run(again, LATER, first);
  await rig.settle();
  rig.expectSound();
  return rig;
}

function expectNoSecret(where: string, text: string): void {
  for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
}

describe('private words', () => {
  const redact = ['iban' as const, 'api_key' as const, { name: 'canary', pattern: CANARY }];

  it.each([
    ['what is redacted', { redact }],
    ['a thread that is denied', { denyThreads: [ANNA, GROUP] }],
    ['a handle that is denied', { denyThreads: [ANNA] }],
    ['a thread that is not allowed', { allowThreads: ['+445550100002'] }],
    ['a message that is dropped', { drop: [{ name: 'canaries', pattern: CANARY }] }],
  ])('stand neither in state.db nor in what is logged: %s', async (_what, settings) => {
    const rig = await everyKind(settings);
    expect(rig.store.events.waitingCount() + rig.store.inbound.newestOf(1, 100).length).toBeGreaterThan(5);
    expectNoSecret('the log', JSON.stringify(rig.calls));
    for (const end of ['', '-wal']) expectNoSecret(`state.db${end}`, readFileSync(rig.statePath + end, 'latin1'));
  });

  it('are told of with nothing but the reason where the thread is denied', async () => {
    const rig = await everyKind({ denyThreads: [ANNA, GROUP] });
    const events = rig.store.events.waiting(100);
    expect(new Set(events.map(({ event_type }) => event_type))).toEqual(new Set(['message_filtered']));
    for (const { details } of events) expect(Object.keys(details)).toEqual(['message_guid', 'reason']);
  });

  it('do not come to light by another’s reaction to a message that is kept back', async () => {
    const rig = hostileRig({ drop: [{ name: 'canaries', pattern: CANARY }] });
    rig.message('first', { text: WORDS, attributedBody: encodeText(WORDS) }, rig.chats.group);
    const bert = rig.file.handle('+15550100003');
    const loved = { associated_message_type: 2000, associated_message_guid: 'p:0/first', handle_id: bert };
    rig.message('loved', loved, rig.chats.group);
    await rig.settle();
    expect(rig.store.events.waiting(10).map(({ event_type }) => event_type)).toEqual(['message_filtered']);
  });
});
