// Cases of SQL tests as their files hold them: a text a case, and the error that it is to end with; knows no statement.

/** One case of a file. */
export interface SqlCase {
  /** The file's and its own. */
  readonly name: string;
  /** What stands behind `--@test:`. */
  readonly title: string;
  /** The case's own lines, behind as many empty ones as stand before them, so that positions are the file's. */
  readonly sql: string;
  /** Of `--@test:`, 1-based. */
  readonly line: number;
  readonly expected: {
    /** The last part of the class's name. */
    readonly type: string | null;
    readonly message: string | null;
  } | null;
}

interface Draft {
  readonly title: string;
  readonly line: number;
  readonly lines: string[];
  type: string | null;
  message: string | null;
}

const DIRECTIVE = /^--@([a-z.]+):\s*(.*?)\s*$/;

/** Whether a text has directives; one that has none is a script, which tests run by RUN SCRIPT. */
export function isOfTests(text: string): boolean {
  return text.split('\n').some((line) => DIRECTIVE.test(line.trim()));
}

/**
 * The cases of one file.
 * @param stem the file's name without its ending, the first part of each case's name
 * @throws {TypeError} when statements stand before the first case, or a directive is not known
 */
export function readSqlCases(stem: string, text: string): SqlCase[] {
  const cases: Draft[] = [];
  text.split('\n').forEach((line, index) => {
    const [, directive, value = ''] = DIRECTIVE.exec(line.trim()) ?? [];
    const current = cases.at(-1);
    if (directive === 'test') {
      const lines = Array.from({ length: index + 1 }, () => '');
      cases.push({ title: value, line: index + 1, lines, type: null, message: null });
    } else if (current === undefined) {
      if (line.trim() === '' || line.trim().startsWith('--')) return;
      throw new TypeError(`${stem}: line ${index + 1} stands before the first case`);
    } else {
      current.lines.push(line);
      if (directive === 'expected.error') current.type = value.split('.').at(-1) ?? null;
      else if (directive === 'expected.message') current.message = value;
      else if (directive !== undefined)
        throw new TypeError(`${stem}: line ${index + 1}: there is no --@${directive}`);
    }
  });
  return cases.map(({ title, line, lines, type, message }) => ({
    name: `${stem} - ${title}`,
    title,
    sql: lines.join('\n'),
    line,
    expected: type === null && message === null ? null : { type, message },
  }));
}
