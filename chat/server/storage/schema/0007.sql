-- What a device was shown without proof that it arrived, so that a repeat can be marked as one.

-- Up to where the device was sent everything when its session ended. What lies between `seq` and here is shown again
-- at the next login, as something that may have been seen.
ALTER TABLE received ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;

-- `present`: 1 while a session of the device is signed in. A device that is present when the server starts was cut off by
-- a crash, and nobody knows what it was sent: everything older than `unsure` may have been.
ALTER TABLE devices ADD COLUMN present INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0;
