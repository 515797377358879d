/**
 * How V8 collects garbage in programs through which much memory outside its heap goes; importing this sets it,
 * and the first import of a program does so best: the heap grows while the others load.
 *
 * The heap is small here, and gigabytes of buffers pass by it, which V8 counts as its growth: it would mark
 * everything, beside the program, for every few megabytes of them. With its own largest factor (a collection when
 * four times as much is in use as after the last) buffers go with the young objects that they hang on, and so that
 * this comes soon enough, the space for those stays as small as it begins.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=300');
setFlagsFromString('--semi-space-growth-factor=1');
