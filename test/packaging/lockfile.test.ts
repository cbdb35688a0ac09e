import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly optionalDependencies?: Record<string, string>;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(join(resolve(import.meta.dirname, '../..'), 'package-lock.json'), 'utf8'));
const packages = Object.entries<LockedPackage>(lock.packages);

describe('package-lock.json', () => {
  it('names the binaries of every platform, without which npm ci refuses on all of them', () => {
    const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter(
          (name) => !(`${path}/node_modules/${name}` in lock.packages) && !(`node_modules/${name}` in lock.packages),
        )
        .map((name) => `${path} wants ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('has nothing that must run a script on installation', () => {
    // fsevents carries its binary; its script would only build it again.
    const scripted = packages.filter(
      ([path, { hasInstallScript }]) => hasInstallScript && path !== 'node_modules/fsevents',
    );
    expect(scripted.map(([path]) => path)).toEqual([]);
  });
});
