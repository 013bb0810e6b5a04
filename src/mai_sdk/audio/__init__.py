"""Audio as numbers: buffers, playback, sample rates, turns. Pure: no device, no network, no clock.

PCM is signed 16-bit samples, little-endian, one channel, unless something else is said. Offsets
count samples from the first one ever given.
"""
