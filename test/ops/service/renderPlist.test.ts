import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { installedCommand } from '../../../src/ops/service/installedPlist.ts';
import { plistDrift } from '../../../src/ops/service/plistDrift.ts';
import { renderPlist } from '../../../src/ops/service/renderPlist.ts';
import { plistProblem } from '../../../src/simulator/standIns/plistLint.ts';
import { readPlist } from '../../packaging/readPlist.ts';
import { tempDir } from '../../support/tempDir.ts';
import { relaxNgOfDtd } from './relaxNgOfDtd.ts';

const home = "/Users/Ana <R&D> 'home'";
const agent = { home, node: '/a b/node', program: '/opt/$& @HOME@/index.js', config: `${home}/ä"]]>.yaml` };

/** As Apple has it at http://www.apple.com/DTDs/PropertyList-1.0.dtd; this xmllint validates by RELAX NG alone. */
const dtd = readFileSync(join(import.meta.dirname, 'PropertyList-1.0.dtd'), 'utf8');
const validate = (xml: string) => validateXML({ xml, schema: relaxNgOfDtd(dtd, 'plist'), extension: 'relaxng' });

describe('the property list', () => {
  it('has launchd keep the agent running in the session of the user, whatever characters its paths hold', () => {
    expect(readPlist(renderPlist(agent))).toEqual({
      Label: 'com.edge-relay.edge-agent',
      ProgramArguments: [agent.node, agent.program, 'run', '--config', agent.config],
      WorkingDirectory: home,
      LimitLoadToSessionType: 'Aqua',
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ProcessType: 'Interactive',
      ExitTimeOut: 20,
      Umask: 0o077,
      EnvironmentVariables: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: home, LANG: 'en_US.UTF-8' },
      StandardErrorPath: `${home}/Library/Logs/edge-agent/edge-agent.stderr.log`,
    });
  });

  it('is valid by the DTD of Apple', async () => {
    const xml = renderPlist(agent);
    expect(plistProblem(xml)).toBeUndefined();
    expect(await validate(xml)).toMatchObject({ valid: true, errors: [] });
    for (const [from, to] of [
      ['<true/>', '<yes/>'],
      ['<true/>', ''],
      ['<true/>', '<true>x</true>'],
      ['<key>RunAtLoad</key>', '<true/>'],
      ['<dict>', '<dict><string>no key</string>'],
      ['<array>', '<array>stray'],
    ] as const) {
      expect.soft((await validate(xml.replace(from, to))).valid, `${from} → ${to}`).toBe(false);
    }
  });

  it.each([
    ['a line break', '/a\nb'],
    ['half a character', '/a\ud800'],
    ['what XML calls no character', '/a\uffff'],
  ])('is not made of a path with %s', (_what, config) => {
    expect(() => renderPlist({ ...agent, config })).toThrow('no property list can hold');
  });

  it('is not made of a path that depends on where somebody is', () => {
    expect(() => renderPlist({ ...agent, program: 'dist/index.js' })).toThrow('dist/index.js is not an absolute path');
  });
});

describe('a property list in its place', () => {
  const write = (text: string) => {
    const path = join(tempDir(), 'agent.plist');
    writeFileSync(path, text);
    return path;
  };

  it('is what would be written, or says what differs', () => {
    const wanted = renderPlist(agent);
    expect(plistDrift(write(wanted), wanted)).toEqual({ found: 'same' });
    expect(plistDrift(join(tempDir(), 'none'), wanted)).toEqual({ found: 'missing' });
    expect(plistDrift(tempDir(), wanted)).toEqual({ found: 'unreadable', why: expect.stringContaining('EISDIR') });
    const older = renderPlist({ ...agent, node: '/older/node' }).replace('<integer>10<', '<integer>60<');
    expect(plistDrift(write(older), wanted)).toEqual({
      found: 'different',
      extra: ['<string>/older/node</string>', '<integer>60</integer>'],
      lacks: ['<string>/a b/node</string>', '<integer>10</integer>'],
    });
  });

  it.each([
    '<key>EDGE_SECRET</key>\n    <string>the-secret</string>\n    ',
    '<key>EDGE_SECRET</key><string><![CDATA[the-secret]]></string>',
    '<key>Secret</key> <data>the-secret\nthe-secret</data>',
  ])('differs from what would be written by %j without showing what that may hold', (more) => {
    const wanted = renderPlist(agent);
    const drift = plistDrift(write(wanted.replace('<key>PATH</key>', `${more}<key>PATH</key>`)), wanted);
    expect(JSON.stringify(drift)).toContain('[not shown]');
    expect(JSON.stringify(drift)).not.toContain('the-secret');
  });

  it('differs from a binary one, of which nothing is shown', () => {
    const drift = plistDrift(write('bplist00\u0001EDGE_SECRET\nthe-secret'), renderPlist(agent));
    expect(drift).toMatchObject({ found: 'different', extra: ['a property list that is not XML, or none'] });
  });

  it('tells what launchd runs by it', () => {
    const { node, program, config } = agent;
    expect(installedCommand(write(renderPlist(agent)))).toEqual({ node, program, config });
    expect(installedCommand(write('left over'))).toBeUndefined();
    expect(installedCommand('/nowhere')).toBeUndefined();
  });
});
