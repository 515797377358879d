/** How programs of the system are run: found where administrators' programs are, and speaking so that they can be read. */

export const systemPrograms = {
  env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' },
  encoding: 'utf8',
  maxBuffer: 1024 * 1024,
} as const;
