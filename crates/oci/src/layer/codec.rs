//! Compression of layers: reading any of the three codecs that images use, and writing frames.
//!
//! A layer of ours is a row of independently compressed *frames* (zstd frames, or gzip members). Both formats
//! define the concatenation of frames as a valid stream, so a frame that was compressed once for one layer can
//! be a part of another without being compressed again.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The codec of layers that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Zstandard: smaller and several times faster on both sides. Every puller since 2021 reads it.
    #[default]
    Zstd,
    /// gzip, for clusters whose pullers are older.
    Gzip,
}

/// Level 3 is zstd's own default: level 6 takes twice the time for some three percent.
const ZSTD_LEVEL: i32 = 3;
/// Level 6 is gzip's own default.
const GZIP_LEVEL: u32 = 6;
/// Streams that need a window above 128 MiB are refused: this bounds what a hostile layer can make us allocate.
const ZSTD_WINDOW_LOG: u32 = 27;

impl Compression {
    /// Everything that the compressed bytes depend on: part of each layer's key. The same input gives the same
    /// bytes only for the same library, version and level.
    pub fn fingerprint(self) -> String {
        match self {
            Self::Zstd => format!("zstd-{}-level-{ZSTD_LEVEL}-checksum", zstd::zstd_safe::version_string()),
            // The version of the linked zlib-rs is not readable at run time: raised by hand with Cargo.lock.
            Self::Gzip => format!("gzip-zlib-rs-0.6-level-{GZIP_LEVEL}"),
        }
    }

    /// Starts one frame.
    ///
    /// # Errors
    /// When the compressor cannot be made (memory).
    pub fn frame<W: Write>(self, output: W) -> io::Result<FrameWriter<W>> {
        Ok(match self {
            Self::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(output, ZSTD_LEVEL)?;
                // gzip has one anyway: a frame that was damaged on a disk is noticed when it is read.
                encoder.include_checksum(true)?;
                FrameWriter::Zstd(encoder)
            }
            Self::Gzip => {
                FrameWriter::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::new(GZIP_LEVEL)))
            }
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            other => Err(format!("{other:?} is no compression of layers; write zstd or gzip")),
        }
    }
}

/// Compresses what is written into one frame.
pub enum FrameWriter<W: Write> {
    /// A zstd frame.
    Zstd(zstd::stream::write::Encoder<'static, W>),
    /// A gzip member.
    Gzip(flate2::write::GzEncoder<W>),
}

impl<W: Write> fmt::Debug for FrameWriter<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameWriter")
    }
}

impl<W: Write> FrameWriter<W> {
    /// Ends the frame and gives the output back.
    ///
    /// # Errors
    /// What the output gives.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(buffer),
            Self::Gzip(encoder) => encoder.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

/// Bytes that tell the codecs apart.
const MARK: usize = 4;

/// Decompresses a layer. The codec is told by the first bytes, as pullers do it: media types lie often enough,
/// and a wrong one is no reason to fail.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn decompress<'source, R: Read + 'source>(mut source: R) -> io::Result<Box<dyn Read + 'source>> {
    // A single read may bring less than the mark; what is taken to see it is put before the rest.
    let mut start = Vec::with_capacity(MARK);
    source.by_ref().take(MARK as u64).read_to_end(&mut start)?;
    let source = BufReader::with_capacity(128 << 10, io::Cursor::new(start.clone()).chain(source));
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(source))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable_frame(&start) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Box::new(decoder)
    } else {
        Box::new(source)
    })
}

/// zstd:chunked and seekable files may start with a skippable frame.
fn is_skippable_frame(start: &[u8]) -> bool {
    start.len() >= 4 && start[0] & 0xf0 == 0x50 && start[1..4] == [0x2a, 0x4d, 0x18]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Compression; 2] = [Compression::Zstd, Compression::Gzip];

    #[test]
    fn no_flipped_bit_and_no_cut_goes_unnoticed() {
        for compression in CODECS {
            let mut frame = compression.frame(Vec::new()).unwrap();
            frame.write_all(b"some text, some text that repeats itself, and some more").unwrap();
            let frame = frame.finish().unwrap();
            let read = |bytes: &[u8]| {
                let mut content = Vec::new();
                decompress(bytes).and_then(|mut source| source.read_to_end(&mut content)).map(|_| content)
            };
            let whole = read(&frame).unwrap();
            for at in 0..frame.len() {
                let mut damaged = frame.clone();
                damaged[at] ^= 0x10;
                // Some bits mean nothing to the content: the time in a gzip header.
                assert!(
                    read(&damaged).map_or(true, |content| content == whole || at < 10),
                    "{compression}: {at}"
                );
                assert!(at == 0 || at < 4 || read(&frame[..at]).is_err(), "{compression}: cut at {at}");
            }
        }
    }

    #[test]
    fn frames_joined_are_one_stream() {
        for compression in CODECS {
            let mut joined = Vec::new();
            for part in ["first ", "second ", "third"] {
                let mut frame = compression.frame(Vec::new()).unwrap();
                frame.write_all(part.as_bytes()).unwrap();
                joined.extend(frame.finish().unwrap());
            }
            let mut text = String::new();
            decompress(joined.as_slice()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "first second third", "{compression}");
        }
    }

    #[test]
    fn the_codec_is_told_however_slowly_bytes_arrive() {
        struct Slow<'bytes>(&'bytes [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let one = self.0.len().min(1);
                self.0.read(&mut buffer[..one])
            }
        }
        let mut frame = Compression::Zstd.frame(Vec::new()).unwrap();
        frame.write_all(b"slow").unwrap();
        let bytes = frame.finish().unwrap();
        let mut text = String::new();
        decompress(Slow(&bytes)).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "slow");
    }

    #[test]
    fn plain_bytes_pass() {
        let mut text = String::new();
        decompress(&b"plain"[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "plain");
    }
}
