import { describe, expect, it } from 'vitest';
import { bareType, contentFlaw, nameFlaw } from '../../../src/messaging/files/fileType.ts';
import { PNG } from './samples.ts';

const bytes = (hex: string) => Buffer.from(hex.padEnd(128, '0'), 'hex');
const JPEG = bytes('ffd8ffe000104a46494600010100000100010000');
const HEIC = bytes('00000018667479706865696300000000');
const PDF = Buffer.from('%PDF-1.7\n%âãÏÓ\n');
const ZIP = bytes('504b0304140000000000');
const MP4 = bytes('000000186674797069736f6d00000200');
const CAF = Buffer.from('caff\0\x01\0\0desc');

describe('the content of a file', () => {
  it.each([
    ['image/png', PNG],
    ['image/jpeg', JPEG],
    ['image/jpeg; q=1', PNG],
    ['image/heic', HEIC],
    ['video/mp4', MP4],
    ['audio/mp4', MP4],
    ['audio/x-caf', CAF],
    ['application/pdf', PDF],
    ['application/zip', ZIP],
    ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', ZIP],
    ['application/octet-stream', JPEG],
    ['application/json', Buffer.from('{"a":1}')],
    ['text/vcard', Buffer.from('BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n')],
    ['text/plain', Buffer.from('héllo wörld')],
    ['text/html', Buffer.from('<!doctype html><p>hi')],
    ['image/svg+xml', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('may be what it is said to be: %s', async (type, head) => {
    expect(await contentFlaw(head, type)).toBeUndefined();
  });

  it.each([
    ['image/png', PDF],
    ['image/png', Buffer.from('not a picture')],
    ['image/svg+xml', PNG],
    ['video/mp4', PNG],
    ['application/pdf', PNG],
    ['text/plain', PNG],
    ['text/plain', Buffer.from('a\0b')],
    ['text/csv', ZIP],
  ])('is refused when it is something else than %s', async (type, head) => {
    expect(await contentFlaw(head, type)).toContain(`said to be ${type}`);
  });

  it.each([
    ['a script', Buffer.from('#!/bin/sh\nrm -rf ~\n')],
    ['Windows', bytes('4d5a9000')],
    ['ELF', bytes('7f454c46020101')],
    ['Mach-O', bytes('cffaedfe07000001')],
    ['Mach-O for two processors', bytes('cafebabe00000002')],
    ['compiled AppleScript', Buffer.from('FasdUAS 1.101.10')],
    ['an installer package', bytes('78617221001c')],
  ])('is refused when it is a program, whatever it is said to be: %s', async (_what, head) => {
    for (const type of ['application/octet-stream', 'text/plain', 'image/png']) {
      expect(await contentFlaw(head, type)).toBe('its bytes are a program');
    }
  });
});

it('refuses names of what runs or opens something', () => {
  for (const name of ['a.app', 'Setup.PKG', 'x.dmg', 'run.command', 'x.scpt', 'photo.jpg.exe', 'a.inetloc', 'a.sh']) {
    expect(nameFlaw(name)).toMatch(/runs or opens/);
  }
  for (const name of ['a.jpg', 'exe', 'notes.txt', 'contact.vcf', 'archive.zip'])
    expect(nameFlaw(name)).toBeUndefined();
});

it('knows a type by its form', () => {
  expect(bareType('Image/PNG; charset=x')).toBe('image/png');
  for (const type of ['png', 'image/', '/png', 'image png', 'a/b/c', '']) expect(bareType(type)).toBeUndefined();
});
