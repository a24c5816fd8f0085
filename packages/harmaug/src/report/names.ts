/** Names for places: as short as they can be told apart. */

/** The last parts of each path that no other of the list ends in. A path that is another's end is the same place. */
export function shortNames(places: readonly string[]): Map<string, string> {
  const distinct = [...new Set(places)];
  const partsOf = (place: string) => place.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  const tail = (place: string, count: number) => partsOf(place).slice(-count).join('/');
  return new Map(
    distinct.map((place) => {
      const own = partsOf(place).join('/');
      const others = distinct.filter((other) => {
        const parts = partsOf(other).join('/');
        return other !== place && !`/${parts}`.endsWith(`/${own}`) && !`/${own}`.endsWith(`/${parts}`);
      });
      const most = Math.max(1, partsOf(place).length);
      for (let count = 1; count < most; count++) {
        const name = tail(place, count);
        if (others.every((other) => tail(other, count) !== name)) return [place, name];
      }
      return [place, tail(place, most) || place];
    }),
  );
}
