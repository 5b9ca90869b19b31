-- Whom an administrator keeps out, and since when.
ALTER TABLE users ADD COLUMN closed_at INTEGER;
CREATE TRIGGER access_is_taken_back AFTER UPDATE OF closed_at ON users
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;
-- A new link takes the place of a person's others.
CREATE INDEX sign_in_links_by_owner ON sign_in_links (owner);
