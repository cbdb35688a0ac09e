import { describe, expect, it } from 'vitest';
import { createPrivacyFilter, type PrivacySettings } from '../../src/relay/privacy.ts';
import type { AboutMessage } from '../../src/relay/threadRules.ts';

const ANNA = '+15550100002';
const BERT = '+15550100003';
const GROUP = 'chat831415926535';

const refuses = (settings: Partial<PrivacySettings>, about: Partial<AboutMessage> = {}) =>
  createPrivacyFilter({ redact: [], denyThreads: [], ...settings }).refuses({
    threadId: ANNA,
    sender: ANNA,
    service: 'iMessage',
    text: 'hello',
    ...about,
  });

describe('the lists of threads', () => {
  it('refuse nothing when they are empty', () => {
    expect(refuses({})).toBeUndefined();
  });

  it.each([
    ['a thread', GROUP, { threadId: GROUP, sender: BERT }],
    ['a thread as chat.guid writes it', `any;+;${GROUP}`, { threadId: GROUP, sender: BERT }],
    ['a handle', ANNA, {}],
    ['a handle as people write it', '+1 (555) 010-0002', {}],
    ['a handle in a form of its own', ANNA, { threadId: 'x', sender: '\u202a+1 555-010-0002\u202c' }],
    ['a number without its country', '(555) 010-0002', { threadId: '5550100002', sender: '5550100002' }],
    ['an e-mail address in another case', 'Anna@Example.com', { threadId: 'anna@example.com', sender: undefined }],
    ['a member of a group', ANNA, { threadId: GROUP }],
    ['a service', 'service:sms', { service: 'SMS' }],
    ['a business', 'urn:biz:0f1e', { threadId: 'urn:biz:0f1e', sender: 'urn:biz:0f1e' }],
    ['messages by satellite as iMessage', 'service:iMessage', { service: 'iMessageLite' }],
  ])('know %s', (_what, entry, about) => {
    expect(refuses({ denyThreads: [entry] }, about)).toBe('thread_denied');
    expect(refuses({ allowThreads: [entry] }, about)).toBeUndefined();
  });

  it.each([
    ['another thread', GROUP],
    ['another handle', BERT],
    ['a short code that a number ends with', '0002'],
    ['another service', 'service:RCS'],
  ])('do not take a message for one of %s', (_what, entry) => {
    expect(refuses({ denyThreads: [entry] })).toBeUndefined();
    expect(refuses({ allowThreads: [entry] })).toBe('thread_not_allowed');
  });

  it.each([
    ['a number without its country', '(555) 010-0002', ANNA],
    ['its last digits', '50 10 00 02', ANNA],
    ['a foreign number that ends alike', ANNA, '+445550100002'],
    ['a longer number that ends alike', ANNA, '+3315550100002'],
    ['a number of another country with the same digits', '15550100002', ANNA],
    ['the national form', ANNA, '5550100002'],
  ])('deny by %s, and do not allow by it', (_what, entry, sender) => {
    const about = { threadId: sender, sender };
    const isAlike = !sender.startsWith('+44') || !entry.startsWith('+');
    expect(refuses({ denyThreads: [entry] }, about)).toBe(isAlike ? 'thread_denied' : undefined);
    expect(refuses({ allowThreads: [entry] }, about)).toBe('thread_not_allowed');
  });

  it('let the others of a group pass', () => {
    expect(refuses({ denyThreads: [ANNA] }, { threadId: GROUP, sender: BERT })).toBeUndefined();
  });

  it('refuse what is on both', () => {
    expect(refuses({ allowThreads: [ANNA], denyThreads: ['service:iMessage'] })).toBe('thread_denied');
  });
});

describe('a drop rule', () => {
  const rule = (conditions: object) => ({ drop: [{ name: 'ads', ...conditions }] });

  it.each([
    ['a pattern', { pattern: '(?i)unsubscribe' }, { text: 'Reply STOP to Unsubscribe' }, { text: 'subscribe' }],
    ['a handle', { from: ANNA }, {}, { sender: BERT }],
    ['no sender', { from: ANNA }, {}, { sender: undefined }],
    ['short codes', { from: 'short_code' }, { sender: '24273' }, { sender: ANNA }],
    ['names as senders', { from: 'short_code' }, { sender: 'MyBank' }, { sender: '5550100002' }],
    ['businesses', { from: 'business' }, { sender: 'urn:biz:0f1e' }, { sender: 'biz@example.com' }],
    ['e-mail addresses', { from: 'email' }, { sender: 'a@example.com' }, { sender: ANNA }],
    ['telephones', { from: 'phone' }, { sender: ANNA }, { sender: '24273' }],
    ['a service', { service: 'SMS' }, { service: 'sms' }, { service: 'RCS' }],
    ['a thread', { thread: GROUP }, { threadId: GROUP }, { threadId: ANNA }],
    ['all of several', { service: 'SMS', pattern: 'x' }, { service: 'SMS', text: 'x' }, { service: 'SMS' }],
  ])('goes by %s', (_what, conditions, dropped, passing) => {
    expect(refuses(rule(conditions), dropped)).toBe('drop:ads');
    expect(refuses(rule(conditions), passing)).toBeUndefined();
  });

  it('comes after the lists, in the order of the settings', () => {
    const drop = [
      { name: 'first', pattern: 'hello' },
      { name: 'second', from: 'phone' },
    ];
    expect(refuses({ drop })).toBe('drop:first');
    expect(refuses({ drop, denyThreads: [ANNA] })).toBe('thread_denied');
  });

  it('looks at no more of a text than its patterns can take, and nothing more is handed over', () => {
    const settings = { redact: [], denyThreads: [], drop: [{ name: 'ads', pattern: 'x{1,300}y' }] };
    const filter = createPrivacyFilter(settings);
    const text = `${'z'.repeat(100_000)}xy`;
    expect(filter.refuses({ threadId: ANNA, sender: ANNA, service: 'iMessage', text })).toBeUndefined();
    const { text: left, redacted } = filter.redact(text);
    expect(redacted).toEqual(['unscanned']);
    expect(left).toMatch(/^z{1000,2000}\[redacted:unscanned\]$/);
  });
});
