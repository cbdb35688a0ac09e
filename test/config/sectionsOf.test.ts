import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sectionsOf } from '../../src/config/sectionsOf.ts';
import { tempDir } from '../support/tempDir.ts';

const written = (text: string) => {
  const dir = tempDir();
  const file = join(dir, 'config.yaml');
  writeFileSync(file, text);
  return { dir, file };
};

describe('the sections of a configuration that has problems', () => {
  it('are those that nothing is wrong with, their paths absolute and what is left out by default', () => {
    const { dir, file } = written(
      'edge: { agent_id: "no good" }\nstate: { dir: there }\nlogging: { levl: debug }\nmonitring: { port: 1 }\n',
    );
    const sections = sectionsOf(file);
    expect(sections.state?.dir).toBe(join(dir, 'there'));
    expect(sections.power?.keep_awake).toBe(true);
    expect(sections).not.toHaveProperty('edge');
    expect(sections).not.toHaveProperty('logging');
    expect(sections).not.toHaveProperty('backend'); // it needs a url
  });

  it('are the defaults where there is no file, and none where it cannot be read', () => {
    const dir = tempDir();
    expect(sectionsOf(join(dir, 'none.yaml')).imessage?.db_path).toMatch(/^\/.*\/Library\/Messages\/chat\.db$/);
    expect(sectionsOf(written('edge: [').file)).toEqual({});
    expect(sectionsOf(written('- a list\n').file)).toEqual({});
    mkdirSync(join(dir, 'a-folder'));
    expect(sectionsOf(join(dir, 'a-folder'))).toEqual({});
  });
});
