import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { StagingFolder } from '../../../src/messaging/files/StagingFolder.ts';
import { tempDir } from '../../support/tempDir.ts';

it('says where a file cannot be staged, and nothing of its name, which is as private as a text', async () => {
  const folder = new StagingFolder({ path: join(tempDir(), 'staging'), sparedBytes: 0 });
  const path = folder.newPlace('Findings of Anna.txt');
  const fill = async () => mkdirSync(path); // in its way
  const made = folder.write(
    path,
    async () => void (await fill()),
    async () => {},
  );
  await expect(made).rejects.toMatchObject({
    code: 'EDGE_FILE_STAGE',
    message: expect.stringMatching(new RegExp(`^E[A-Z]+: .*, rename in '${dirname(path)}'$`)),
  });
  await expect(made).rejects.toMatchObject({ message: expect.not.stringContaining('Anna') });
});

it.runIf(existsSync('/proc/self'))(
  'says at once that nothing can be staged in a folder that takes none',
  async () => {
    const folder = new StagingFolder({ path: '/proc/none/staging', sparedBytes: 0 });
    const made = folder.write(
      folder.newPlace('a.txt'),
      async () => {},
      async () => {},
    );
    await expect(made).rejects.toMatchObject({
      code: 'EDGE_FILE_STAGE',
      message: expect.stringContaining('/proc/none'),
    });
  },
  5_000,
);
