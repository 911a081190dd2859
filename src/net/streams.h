/*
 * Streams of random numbers: one for each thing that is drawn, so that none depends on another. A
 * number is a pure function of (seed, stream, layer, row, column). Changing a value here changes
 * every result.
 */
#ifndef GS_NET_STREAMS_H
#define GS_NET_STREAMS_H

typedef enum {
    GS_STREAM_WEIGHT = 1,
    GS_STREAM_BIAS = 2,
    GS_STREAM_INPUT = 3,
    GS_STREAM_TARGET = 4,
    GS_STREAM_LABEL = 5,
    GS_STREAM_READOUT = 6,
    GS_STREAM_SHUFFLE = 7,
    GS_STREAM_SPECTRUM = 8,
    GS_STREAM_HOLD_OUT = 9
} gs_stream;

#endif
