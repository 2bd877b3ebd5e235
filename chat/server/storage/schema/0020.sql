-- What checking a password costs, so that names without an account are answered as those with one are.

-- How many accounts have a verifier of each cost of bcrypt and number of iterations. A decoy has the cost of one of them,
-- each as often as the accounts do; triggers keep the counts true, whatever changes a verifier.
CREATE TABLE verifier_costs (
    cost        INTEGER NOT NULL,                -- two digits of the bcrypt salt string, behind $2b$
    iterations  INTEGER NOT NULL,
    accounts    INTEGER NOT NULL,
    PRIMARY KEY (cost, iterations)
) WITHOUT ROWID;

INSERT INTO verifier_costs (cost, iterations, accounts)
    SELECT CAST(substr(CAST(salt AS TEXT), 5, 2) AS INTEGER), iterations, count(*) FROM accounts
    WHERE salt IS NOT NULL GROUP BY 1, 2;

CREATE TRIGGER verifier_made AFTER INSERT ON accounts WHEN NEW.salt IS NOT NULL BEGIN
    INSERT INTO verifier_costs (cost, iterations, accounts)
        VALUES (CAST(substr(CAST(NEW.salt AS TEXT), 5, 2) AS INTEGER), NEW.iterations, 1)
        ON CONFLICT (cost, iterations) DO UPDATE SET accounts = accounts + 1;
END;

CREATE TRIGGER verifier_ended AFTER UPDATE OF salt ON accounts WHEN OLD.salt IS NOT NULL BEGIN
    UPDATE verifier_costs SET accounts = accounts - 1
        WHERE cost = CAST(substr(CAST(OLD.salt AS TEXT), 5, 2) AS INTEGER) AND iterations = OLD.iterations;
END;

CREATE TRIGGER verifier_replaced AFTER UPDATE OF salt ON accounts WHEN NEW.salt IS NOT NULL BEGIN
    INSERT INTO verifier_costs (cost, iterations, accounts)
        VALUES (CAST(substr(CAST(NEW.salt AS TEXT), 5, 2) AS INTEGER), NEW.iterations, 1)
        ON CONFLICT (cost, iterations) DO UPDATE SET accounts = accounts + 1;
END;
