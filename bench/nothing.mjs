/** An algorithm that costs nothing, so that what is measured is what it takes to bring it its frames. */
export default class Nothing {
  run() {
    return 0;
  }
}
