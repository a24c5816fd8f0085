/** What the test pages run: the guard as a page has it, in reach of the tests. */
import * as guard from '../src/index.web.ts';

Object.assign(globalThis, { harmaug: guard });
